package e2e

import "testing"

// TestDeviceGone: a camera that is unplugged is no longer sent, which is said, and comes
// back by the button.
func TestDeviceGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := visit(t, w.home(usual).Host("alice"), "/1cs1cs#gone")
	for _, local := range []string{"local_H", "local"} {
		if local == "local" {
			v.open("/r/gone#" + w.invite("gone"))
		}
		v.shows(local, "audio,video")
		v.unplug(local, "video")
		v.shows(local, "audio")
		v.until("it says so", `() => document.querySelector('#problems [data-key="problem.ended"]') !== null`)
		v.until("it is asked to try again", `() => { document.querySelector('#problems button').click(); return true }`)
		v.shows(local, "audio,video")
		v.until("nothing is wrong any more", `() => document.querySelector('#problems [data-key]') === null`)
	}
}

// TestDeviceOther: a computer with two cameras turns from one to the other, and back.
func TestDeviceOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := browse(t, w.home(usual).Host("alice"), "https://"+boxName+":3002/1cs1cs#two", "--use-fake-device-for-media-stream=device-count=2")
	const camera = `() => document.getElementById('local_H').srcObject?.getVideoTracks()[0]?.getSettings().deviceId ?? ''`
	seen := map[string]bool{}
	for range 3 {
		v.shows("local_H", "audio,video")
		var id string
		if err := v.evaluate(&id, camera); err != nil {
			t.Fatal(err)
		}
		seen[id] = true
		v.click("flip")
		v.until("another camera is on", `before => ![before, ''].includes((`+camera+`)())`, id)
	}
	if len(seen) != 2 {
		t.Errorf("%d cameras, want 2", len(seen))
	}
}

// shows waits until the page's own video has tracks of these kinds, and they live.
func (v *visitor) shows(id, kinds string) {
	v.t.Helper()
	v.until("it shows its own "+kinds, `(id, kinds) => {
		const tracks = document.getElementById(id)?.srcObject?.getTracks() ?? []
		return tracks.filter(track => track.readyState === 'live').map(track => track.kind).sort().join() === kinds
	}`, id, kinds)
}

// unplug ends a track of the page's own video as the browser does when a device goes.
func (v *visitor) unplug(id, kind string) {
	v.t.Helper()
	v.until("a device goes", `(id, kind) => {
		const track = document.getElementById(id).srcObject.getTracks().find(track => track.kind === kind)
		track.stop()
		return track.dispatchEvent(new Event('ended'))
	}`, id, kind)
}

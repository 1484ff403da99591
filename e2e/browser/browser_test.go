package browser_test

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"icebox/e2e/browser"
)

// TestFakeDevices opens a page that uses the camera, the microphone and the
// screen, on loopback.
func TestFakeDevices(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<!doctype html><title>devices</title><button id=screen>share</button>" +
			"<script>console.log('hello from the page')\n" +
			"let shared = null\n" +
			"document.getElementById('screen').onclick = async () => {\n" +
			"  shared = (await navigator.mediaDevices.getDisplayMedia({video: true, audio: true})).getTracks()\n" +
			"}</script>"))
	}))
	defer server.Close()
	page := browser.Start(t, exec.CommandContext).Open(server.URL).Timeout(30 * time.Second)
	defer page.CancelTimeout()

	kinds, err := page.Eval(`async () => {
		const stream = await navigator.mediaDevices.getUserMedia({video: true, audio: true})
		return stream.getTracks().map(track => track.kind).sort().join()
	}`)
	if err != nil || kinds.Value.Str() != "audio,video" {
		t.Fatalf("camera and microphone: %v, %v", kinds, err)
	}
	button, err := page.Element("#screen")
	if err != nil {
		t.Fatal(err)
	}
	if err := button.Click("left", 1); err != nil {
		t.Fatal(err)
	}
	if err := page.Wait(rod.Eval(`() => shared && shared.some(track => track.kind === 'video')`)); err != nil {
		t.Fatalf("the screen: %v", err)
	}
}

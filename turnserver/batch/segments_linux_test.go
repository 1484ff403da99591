package batch

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRefused: what an error of a train teaches.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name    string
		errno   syscall.Errno
		size    int
		train   bool
		on      bool
		largest int // that can still be a train
	}{
		{"over the MTU", unix.EMSGSIZE, 1400, true, true, 1399},
		{"over the MTU, as older kernels say it", unix.EINVAL, 1400, true, true, 1399},
		{"unknown", unix.EINVAL, 1200, true, false, 0},
		{"no checksums", unix.EIO, 1400, true, false, 0},
		{"full", unix.EAGAIN, 1200, false, true, maxTrain},
		{"no route", unix.ENETUNREACH, 1200, false, true, maxTrain},
	} {
		e := &Engine{}
		e.segments.set(true)
		r := new(rig)
		w := &Worker{engine: e, handler: &passOn{rig: r}}
		if got := w.refused(test.errno, test.size); got != test.train {
			t.Errorf("%s: it is about the train: %t", test.name, got)
		}
		if e.Segments() != test.on || int(e.segments.largest.Load()) != test.largest {
			t.Errorf("%s: trains %t, of %d at the most", test.name, e.Segments(), e.segments.largest.Load())
		}
		if told := r.refused.Load() > 0; told == test.on {
			t.Errorf("%s: the handler was told: %t", test.name, told)
		}
	}
}

func TestLimit(t *testing.T) {
	var s segments
	s.set(true)
	for size, want := range map[int]int{0: 1, 1: maxSegments, 172: maxSegments, 1200: 54, 9000: 7, 40000: 1, 65507: 1} {
		if got := s.limit(size); got != want {
			t.Errorf("%d bytes: %d, want %d", size, got, want)
		}
	}
	s.shrink(1300)
	s.shrink(1400) // by somebody who was late
	if s.limit(1299) == 1 || s.limit(1300) != 1 {
		t.Error("trains end at another size than what was refused")
	}
	s.set(false)
	if s.limit(172) != 1 {
		t.Error("trains after they were given up")
	}
}

// TestTry: here everything is there.
func TestTry(t *testing.T) {
	if got := Try(); got.Err != nil || got.Segments != nil {
		t.Errorf("%+v", got)
	}
}

// TestTryNotices: datagrams that are not as they were sent are noticed.
func TestTryNotices(t *testing.T) {
	from, to, err := tryPair()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(from)
	defer unix.Close(to)
	unix.Write(from, []byte("spoilt"))
	if err := tryTrain(from, to, 100, []int{100, 100}); err == nil {
		t.Error("a spoilt datagram was not noticed")
	}
}

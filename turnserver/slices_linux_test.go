package turnserver

import (
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// TestShortSlices: every thread that there is gets them.
func TestShortSlices(t *testing.T) {
	var done sync.WaitGroup
	defer done.Wait()
	begun, goOn := make(chan int), make(chan struct{})
	defer close(goOn)
	for range 2 {
		done.Go(func() {
			runtime.LockOSThread() // for good: the thread ends with this goroutine
			begun <- unix.Gettid()
			<-goOn
		})
	}
	threads := []int{<-begun, <-begun}
	for _, id := range threads {
		setSlice(id, slice)
		if sliceOf(t, id) != slice {
			t.Skip("this kernel gives no slices of one's own: it is older than Linux 6.12")
		}
		setSlice(id, 0)
		if sliceOf(t, id) == slice {
			t.Skip("every thread has short slices here")
		}
	}
	shortSlices()
	for _, id := range append(threads, unix.Gettid()) {
		if got := sliceOf(t, id); got != slice {
			t.Errorf("a thread has slices of %d ns, want %d", got, slice)
		}
	}
}

func sliceOf(t *testing.T, thread int) uint64 {
	t.Helper()
	attr, err := unix.SchedGetAttr(thread, 0)
	if err != nil {
		t.Fatalf("the slice of a thread: %v", err)
	}
	return attr.Runtime
}

package web

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

var stranger = netip.MustParseAddr("198.51.100.1")

func wrong() bool { return false }
func right() bool { return true }

func TestThrottleSlowsGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th, start := newThrottle(), time.Now()
		for range 100 {
			if _, err := th.try(context.Background(), stranger, "admin", "x", wrong); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 85*time.Second || took > 95*time.Second {
			t.Errorf("100 guesses one after the other took %v", took)
		}
	})
}

func TestThrottleNeverDelaysARightPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th, start := newThrottle(), time.Now()
		for range 1000 {
			if ok, err := th.try(context.Background(), stranger, "admin", "123456", right); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("1000 right ones took %v", took)
		}
	})
}

func TestThrottleLocksNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		th.try(context.Background(), stranger, "admin", "123456", right)
		for range 100 {
			go th.try(context.Background(), stranger, "admin", "x", wrong)
		}
		synctest.Wait()
		if _, err := th.try(context.Background(), stranger, "bob", "y", right); !errors.Is(err, errTooMany) {
			t.Errorf("somebody unknown, in the flood: %v", err)
		}
		start := time.Now()
		ok, err := th.try(context.Background(), stranger, "admin", "123456", right)
		if !ok || err != nil || time.Since(start) != 0 {
			t.Errorf("who was right before: %v, %v after %v", ok, err, time.Since(start))
		}
		ok, err = th.try(context.Background(), netip.MustParseAddr("198.51.100.2"), "bob", "y", right)
		if !ok || err != nil || time.Since(start) != 0 {
			t.Errorf("from the next address: %v, %v after %v", ok, err, time.Since(start))
		}
		time.Sleep(maxWait)
		ok, err = th.try(context.Background(), stranger, "bob", "y", right)
		if !ok || err != nil || time.Since(start) > 2*maxWait {
			t.Errorf("after the flood: %v, %v after %v", ok, err, time.Since(start))
		}
	})
}

func TestThrottleCountsByNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		for i := range 100 {
			a := netip.MustParseAddr("2001:db8::").As16()
			a[15] = byte(i)
			go th.try(context.Background(), netip.AddrFrom16(a), "admin", "x", wrong)
		}
		synctest.Wait()
		if _, err := th.try(context.Background(), netip.MustParseAddr("2001:db8::ffff"), "a", "b", wrong); !errors.Is(err, errTooMany) {
			t.Errorf("the same /64: %v", err)
		}
		if _, err := th.try(context.Background(), netip.MustParseAddr("2001:db8:0:1::"), "a", "b", wrong); err != nil {
			t.Errorf("the next /64: %v", err)
		}
		time.Sleep(time.Minute)
	})
}

func TestThrottleIsBounded(t *testing.T) {
	th := newThrottle()
	for i := range 3 * maxTried {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if _, err := th.try(context.Background(), a, "admin", "x", wrong); err != nil {
			t.Fatal(err)
		}
	}
	if len(th.by) > maxTried {
		t.Errorf("%d addresses are remembered", len(th.by))
	}
}

func TestThrottleEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		for range freeAttempts {
			th.try(context.Background(), stranger, "admin", "x", wrong)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if _, err := th.try(ctx, stranger, "admin", "x", wrong); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

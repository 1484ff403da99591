package interop

import "testing"

// TestLost looks at the end of outputs of turnutils_uclient.
func TestLost(t *testing.T) {
	const (
		all = `3: : start_mclient: msz=2, tot_send_msgs=41, tot_recv_msgs=40, tot_send_bytes ~ 6970, tot_recv_bytes ~ 6800
3: : start_mclient: tot_send_msgs=100, tot_recv_msgs=100
3: : start_mclient: tot_send_bytes ~ 17000, tot_recv_bytes ~ 17000
3: : Total transmit time is 3
3: : Total lost packets 0 (0.000000%), total send dropped 0 (0.000000%)
`
		some = `15: : start_mclient: tot_send_msgs=100, tot_recv_msgs=60
15: : start_mclient: tot_send_bytes ~ 17000, tot_recv_bytes ~ 10200
15: : Total transmit time is 15
15: : Total lost packets 40 (40.000000%), total send dropped 0 (0.000000%)
`
		short = `3: : start_mclient: tot_send_msgs=100, tot_recv_msgs=100
3: : start_mclient: tot_send_bytes ~ 17000, tot_recv_bytes ~ 16999
3: : Total transmit time is 3
3: : Total lost packets 0 (0.000000%), total send dropped 0 (0.000000%)
`
	)
	for _, c := range []struct {
		out     string
		atLeast int
		good    bool
	}{{all, 100, true}, {all, 101, false}, {some, 100, false}, {short, 100, false}, {"0: : error 443", 0, false}} {
		if fault := lost(c.out, c.atLeast); (fault == "") != c.good {
			t.Errorf("of at least %d it says %q:\n%s", c.atLeast, fault, c.out)
		}
	}
}

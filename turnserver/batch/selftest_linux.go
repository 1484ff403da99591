package batch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Result is what Try has found.
type Result struct {
	// Err is why there can be no Engine here. Nil: there can.
	Err error
	// Segments is why trains can't be sent with UDP_SEGMENT or received with
	// UDP_GRO. Nil: they can, or the kernel has no UDP_GRO.
	Segments error
}

// tryTime is how long a datagram may take over loopback.
const tryTime = time.Second

// Try finds out, on sockets of loopback, whether what an Engine needs of the
// kernel is there and does what it should: in some containers system calls are
// forbidden, and some kernels spoil trains.
func Try() Result {
	if strings.Contains(os.Getenv("GODEBUG"), "asyncpreemptoff=1") {
		return Result{Err: errors.New("GODEBUG has asyncpreemptoff=1: collections would wait for a worker that waits")}
	}
	if err := tryEpoll(); err != nil {
		return Result{Err: err}
	}
	from, to, err := tryPair()
	if err != nil {
		return Result{Err: err}
	}
	defer unix.Close(from)
	defer unix.Close(to)
	if err := tryTrain(from, to, 0, []int{1000, 172, 1}); err != nil {
		return Result{Err: fmt.Errorf("sendmmsg and recvmmsg: %w", err)}
	}
	train := []int{1000, 1000, 1000, 1000, 1000, 517}
	if err := tryTrain(from, to, 1000, train); err != nil {
		return Result{Segments: fmt.Errorf("UDP_SEGMENT: %w", err)}
	}
	if mergeReceived(to) == nil {
		if err := tryTrain(from, to, 1000, train); err != nil {
			return Result{Segments: fmt.Errorf("UDP_GRO: %w", err)}
		}
	}
	return Result{}
}

func tryEpoll() error {
	w := &Worker{epoll: -1}
	w.commands.event = -1
	w.arena = &arena{}
	defer w.free()
	return w.watch()
}

// tryPair is two sockets of loopback, the first connected to the second.
func tryPair() (from, to int, err error) {
	if to, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return 0, 0, fmt.Errorf("a socket: %w", err)
	}
	if from, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		unix.Close(to)
		return 0, 0, fmt.Errorf("a socket: %w", err)
	}
	if err = tryConnect(from, to); err != nil {
		unix.Close(to)
		unix.Close(from)
	}
	return from, to, err
}

func tryConnect(from, to int) error {
	if err := unix.Bind(to, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fmt.Errorf("a socket of loopback: %w", err)
	}
	name, err := unix.Getsockname(to)
	if err != nil {
		return fmt.Errorf("a socket of loopback: %w", err)
	}
	if err := unix.Connect(from, name); err != nil {
		return fmt.Errorf("a socket of loopback: %w", err)
	}
	return nil
}

// tryTrain sends datagrams of these sizes, as a train where segment is not 0,
// and wants them back as they were.
func tryTrain(from, to, segment int, sizes []int) error {
	var out outbox
	out.init(len(sizes), len(sizes))
	var want [][]byte
	for i, size := range sizes {
		packet := bytes.Repeat([]byte{byte(i + 1), 0xA5, byte(size)}, size/3+1)[:size]
		want = append(want, packet)
		out.append(packet)
		if segment == 0 {
			out.message(&out.to, nil, 0)
		}
	}
	if segment != 0 {
		out.message(&out.to, nil, segment)
	}
	messages := out.messages[:out.count]
	for i := range messages { // the socket is connected
		messages[i].header.Name, messages[i].header.Namelen = nil, 0
	}
	if n, errno := sendmmsg(from, messages); n != len(messages) {
		return fmt.Errorf("%d of %d messages sent: %w", n, len(messages), errno)
	}
	return tryReceive(to, want)
}

func tryReceive(to int, want [][]byte) error {
	box := make([]mmsghdr, len(want)+1)
	buf := make([][8192]byte, len(box))
	iovs := make([]unix.Iovec, len(box))
	controls := make([][controlSize]byte, len(box))
	for i := range box {
		iovs[i].Base = &buf[i][0]
		iovs[i].SetLen(len(buf[i]))
		box[i].header.Iov = &iovs[i]
		box[i].header.SetIovlen(1)
		box[i].header.Control = &controls[i][0]
		box[i].header.SetControllen(controlSize)
	}
	var got [][]byte
	for deadline := time.Now().Add(tryTime); len(got) < len(want) && time.Now().Before(deadline); {
		n, errno := recvmmsg(to, box)
		if errno != 0 {
			return fmt.Errorf("receiving: %w", errno)
		}
		for i := range n {
			got = append(got, tryCut(buf[i][:box[i].length], controls[i][:box[i].header.Controllen])...)
			box[i].header.SetControllen(controlSize)
		}
		if n == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	if !slices.EqualFunc(got, want, bytes.Equal) {
		return errors.New("datagrams are lost or not as they were sent")
	}
	return nil
}

// tryCut is the datagrams of what came as one.
func tryCut(received, said []byte) (datagrams [][]byte) {
	var c control
	c.read(said)
	if c.segment == 0 {
		c.segment = len(received)
	}
	for datagram := range slices.Chunk(received, max(1, c.segment)) {
		datagrams = append(datagrams, bytes.Clone(datagram))
	}
	return datagrams
}

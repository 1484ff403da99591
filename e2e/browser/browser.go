// Package browser starts headless Chromium for a test and drives it over a pair
// of pipes. No port is opened, so the browser can be in another network
// namespace than the test.
//
//	b := browser.Start(t, host.Command)            // in the namespace of a natlab host
//	page := b.Open("https://198.51.100.7:3002/")   // a *rod.Page
//
// Its camera, microphone and screen are made up, and every page is given what it
// asks for. Certificates are verified by StartVerifying alone. Local addresses in
// ICE candidates are hidden behind mDNS names, as in a browser that nobody has set
// up.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/go-rod/rod"
	"github.com/go-rod/rod/lib/cdp"
	"github.com/go-rod/rod/lib/proto"
)

// Command makes a process that is not started yet; exec.CommandContext is one.
// It ends with the context.
type Command func(ctx context.Context, name string, args ...string) *exec.Cmd

// Browser is one Chromium with a profile of its own.
type Browser struct {
	t         testing.TB
	rod       *rod.Browser
	log       *log
	listeners sync.WaitGroup // of pages
}

// patience is how long the browser, or a page, may take to start.
const patience = time.Minute

// names are those that Chromium is known by.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// Find gives the program, or skips the test where there is none, and fails it
// where the environment has CI=true.
func Find(t testing.TB) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("browser: needs chromium")
	}
	t.Skip("browser: needs chromium")
	return ""
}

// Start starts a browser that takes every certificate and ends with the test.
// Flags are added to its command line. What it and its pages write goes to the
// log of the test.
func Start(t testing.TB, command Command, flags ...string) *Browser {
	t.Helper()
	return StartVerifying(t, command, append(flags, "--ignore-certificate-errors")...)
}

// StartVerifying is Start for a browser that takes no certificate that it does not
// trust: for a page, and for TURN over TLS, of which it says nothing.
func StartVerifying(t testing.TB, command Command, flags ...string) *Browser {
	t.Helper()
	program := Find(t)
	ctx, cancel := context.WithCancel(context.Background())
	log := newLog(t)
	cmd := command(ctx, program, arguments(t, flags)...)
	cmd.Stderr = log.writer("browser: ")
	transport, closePipes, err := connect(cmd)
	if err != nil {
		cancel()
		t.Fatalf("browser: %v", err)
	}
	b := &Browser{t: t, log: log}
	b.rod = rod.New().Context(ctx).Client(cdp.New().Start(transport)).NoDefaultDevice()
	t.Cleanup(func() {
		cancel()
		b.listeners.Wait()
		cmd.Wait() // it was killed
		closePipes()
		log.close()
	})
	late := time.AfterFunc(patience, cancel)
	defer late.Stop()
	if err := b.rod.Connect(); err != nil {
		t.Fatalf("browser: connecting: %v", err)
	}
	return b
}

// arguments is the command line of a browser with a fresh profile.
func arguments(t testing.TB, more []string) []string {
	return append([]string{
		"--remote-debugging-pipe",
		"--user-data-dir=" + t.TempDir(),
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		// Small pictures, few of them: the machines that run tests are small.
		"--use-fake-device-for-media-stream=device-count=1,fps=10",
		"--use-fake-ui-for-media-stream",
		"--mute-audio",
		// A page in the background must go on like one that is looked at.
		"--disable-background-timer-throttling", "--disable-renderer-backgrounding",
	}, more...)
}

// connect starts cmd with the browser's ends of two pipes as descriptors 3 and 4.
func connect(cmd *exec.Cmd) (transport *pipe, closePipes func(), err error) {
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		theirIn.Close()
		ourOut.Close()
		return nil, nil, err
	}
	closePipes = func() { ourIn.Close(); ourOut.Close() }
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	err = cmd.Start()
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		closePipes()
		return nil, nil, fmt.Errorf("starting: %w", err)
	}
	return newPipe(ourIn, ourOut), closePipes, nil
}

// Open opens a page in a tab of its own and waits until it has loaded, a minute
// at most.
func (b *Browser) Open(url string) *rod.Page {
	b.t.Helper()
	page, err := b.rod.Page(proto.TargetCreateTarget{})
	if err != nil {
		b.t.Fatalf("browser: a new tab: %v", err)
	}
	b.listen(page)
	if err := navigate(page.Timeout(patience), url); err != nil {
		b.t.Fatalf("browser: opening %s: %v", url, err)
	}
	return page
}

func navigate(page *rod.Page, url string) error {
	if err := page.Navigate(url); err != nil {
		return err
	}
	return page.WaitLoad()
}

// listen writes what the scripts of the page say, and their errors, to the log.
func (b *Browser) listen(page *rod.Page) {
	wait := page.EachEvent(
		func(e *proto.RuntimeConsoleAPICalled) {
			line := "page: " + string(e.Type) + ":"
			for _, arg := range e.Args {
				if arg.Value.Nil() {
					line += " " + arg.Description
				} else {
					line += " " + arg.Value.String()
				}
			}
			b.log.print(line)
		},
		func(e *proto.RuntimeExceptionThrown) {
			d := e.ExceptionDetails
			if d.Exception != nil {
				b.log.print("page: " + d.Text + " " + d.Exception.Description)
			} else {
				b.log.print("page: " + d.Text)
			}
		},
	)
	b.listeners.Go(wait) // until the context of the browser ends
}

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo terminal: what a process writes to the second comes
// out of the first (pty(7)).
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// onTerminal starts icebox with a terminal as its stdout, stops it once it has
// said everything, and returns what a person would have seen.
func onTerminal(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	master, slave := openTerminal(t)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), selfEnv()...)
	cmd.Stdout = slave
	p := startCommand(t, dir, cmd)
	go io.Copy(&p.stdout, master) // ends when master is closed
	p.until(t, &p.stdout, "█")
	p.signal(t, os.Interrupt)
	if got := p.wait(t); got.code != exitOK {
		t.Errorf("exit code %d", got.code)
	}
	return p.stdout.String()
}

// TestTerminalShowsANewPasswordOnce: a person at a terminal gets an invite and its
// QR code at every start, and the generated password at the one that has made it.
func TestTerminalShowsANewPasswordOnce(t *testing.T) {
	dir := configDir(t, loopbackConfig)
	first := onTerminal(t, dir)
	password := readText(t, dir, "state", "password-admin")
	if !strings.Contains(first, password) {
		t.Error("the first start does not show the password it has made")
	}
	if !regexp.MustCompile(`https://127\.0\.0\.1:\d+/r/[A-Z2-7]{26}#[\w-]{55}\b`).MatchString(first) {
		t.Error("there is no link into a room")
	}
	second := onTerminal(t, dir)
	if strings.Contains(second, password) {
		t.Error("the second start shows the password again")
	}
	if !strings.Contains(second, "password-admin") {
		t.Error("the second start does not say where the password is")
	}
}

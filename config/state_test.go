package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// stateless is a configuration that wants two generated secrets.
func stateless(t testing.TB) *Config {
	t.Helper()
	c := Default()
	c.StateDir = filepath.Join(t.TempDir(), "var", "state")
	return c
}

func TestSecretsAreMadeOnce(t *testing.T) {
	c := stateless(t)
	if err := c.Secrets(false); !errors.Is(err, ErrNoState) {
		t.Fatalf("without state: %v, want ErrNoState", err)
	}
	if _, err := os.Stat(c.StateDir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("state_dir was made without being asked for: %v", err)
	}
	if err := c.Secrets(true); err != nil {
		t.Fatal(err)
	}
	if password := c.TURN.Users[0].Password; !regexp.MustCompile(`^[a-hjkmnp-z2-9]{20}$`).MatchString(password) {
		t.Errorf("password %q is not easy to type", password)
	}
	if len(c.TURN.Secret) != 64 {
		t.Errorf("secret has %d letters", len(c.TURN.Secret))
	}
	for _, create := range []bool{false, true} {
		again := Default()
		again.StateDir = c.StateDir
		if err := again.Secrets(create); err != nil {
			t.Fatal(err)
		}
		equal(t, again, c)
	}
	other := stateless(t)
	if err := other.Secrets(true); err != nil || other.TURN.Secret == c.TURN.Secret || other.TURN.Users[0].Password == c.TURN.Users[0].Password {
		t.Errorf("two boxes have one secret, error %v", err)
	}
}

func TestStateFiles(t *testing.T) {
	c := stateless(t)
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(c.StateDir, "from-tomorrow"), "left alone")
	if err := c.Secrets(true); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(c.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
		if info, err := entry.Info(); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
			t.Errorf("%s has mode %v, error %v", entry.Name(), info.Mode(), err)
		}
	}
	if got := strings.Join(names, " "); got != "from-tomorrow password-admin turn-secret" {
		t.Errorf("state_dir holds %s", got)
	}
	if text, err := os.ReadFile(filepath.Join(c.StateDir, "from-tomorrow")); err != nil || string(text) != "left alone" {
		t.Errorf("an unknown file became %q, error %v", text, err)
	}
}

func TestStateDirIsPrivate(t *testing.T) {
	needs(t, runtime.GOOS != "windows", "file permissions")
	c := stateless(t)
	if err := c.Secrets(true); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{c.StateDir, filepath.Dir(c.StateDir)} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v, error %v", dir, info.Mode(), err)
		}
	}
}

// TestSecretsGiven holds that nothing is made for what the file has.
func TestSecretsGiven(t *testing.T) {
	c := stateless(t)
	c.TURN.Secret = "0123456789abcdef"
	c.TURN.Users = []User{{Name: "ann", Password: "x"}, {Name: "eve", Key: strings.Repeat("0", 32)}}
	if err := c.Secrets(true); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(c.StateDir); !errors.Is(err, fs.ErrNotExist) || c.TURN.Users[1].Password != "" {
		t.Errorf("users %v, state_dir %v", c.TURN.Users, err)
	}
}

// TestSecretsOfTwoProcesses holds that who comes second takes what is there.
func TestSecretsOfTwoProcesses(t *testing.T) {
	first := stateless(t)
	all := []*Config{first}
	for range 15 {
		c := Default()
		c.StateDir = first.StateDir
		all = append(all, c)
	}
	var wait sync.WaitGroup
	for _, c := range all {
		wait.Go(func() {
			if err := c.Secrets(true); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, c := range all {
		equal(t, c, first)
	}
}

func TestBadStateFiles(t *testing.T) {
	for _, text := range []string{"", "\n", "a\nb\n", "short\n"} {
		c := stateless(t)
		if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(c.StateDir, "turn-secret")
		write(t, path, text)
		err := c.Secrets(true)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.HasSuffix(err.Error(), "delete it to have a new one made") {
			t.Errorf("%q: %v", text, err)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != text {
			t.Errorf("%q became %q, error %v", text, now, err)
		}
	}
}

// TestUnreadableState holds that a secret is not to be deleted where it is not
// the secret that is bad.
func TestUnreadableState(t *testing.T) {
	c := stateless(t)
	c.StateDir = filepath.Join(t.TempDir(), "file")
	write(t, c.StateDir, "")
	for _, test := range []struct {
		err  error
		want string
	}{
		{fs.ErrPermission, "run this as the user that icebox runs as, such as sudo -u icebox"},
		{syscall.EACCES, "it belongs to another user"},
		{c.Secrets(true), "state_dir is not a directory"},
		{syscall.EIO, "input/output error"},
	} {
		got := unreadable("password-admin", test.err).Error()
		if !strings.Contains(got, test.want) || strings.Contains(got, "delete") {
			t.Errorf("%v becomes %q, want %q", test.err, got, test.want)
		}
	}
}

// TestUnwritableState holds that what is said of a secret that can't be stored
// names its file, and nothing that is another one at each try.
func TestUnwritableState(t *testing.T) {
	needs(t, runtime.GOOS == "linux", "a directory that not even root can write to")
	c := stateless(t)
	c.StateDir = "/proc/self/fdinfo"
	first, second := c.Secrets(true), c.Secrets(true)
	if first == nil || second == nil || first.Error() != second.Error() ||
		!strings.Contains(first.Error(), "/proc/self/fdinfo/password-admin: keeping a generated secret: ") {
		t.Errorf("first %v, then %v", first, second)
	}
}

func TestStateDirCantBeMade(t *testing.T) {
	c := stateless(t)
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	c.StateDir = filepath.Join(file, "state")
	if err := c.Secrets(true); err == nil || errors.Is(err, ErrNoState) {
		t.Errorf("a directory below a file: %v", err)
	}
}

func TestPasswordNames(t *testing.T) {
	long := strings.Repeat("灯", 100)
	seen := map[string]string{}
	for user, want := range map[string]string{
		"admin": "password-admin", "Admin": "password-%41dmin", "a-b_c9": "password-a-b_c9",
		"..": "password-%2e%2e", "../etc/x": "password-%2e%2e%2fetc%2fx", `a\b`: "password-a%5cb",
		"a b": "password-a%20b", "灯": "password-%e7%81%af", "%2e": "password-%252e", "a.new": "password-a%2enew",
		long: "", long + "a": "",
	} {
		got := passwordName(user)
		if want != "" && got != want {
			t.Errorf("%q: %s, want %s", user, got, want)
		}
		if len(got) > 255 || filepath.Base(got) != got || strings.ToLower(got) != got {
			t.Errorf("%q: %s is no safe name", user, got)
		}
		if other, twice := seen[got]; twice {
			t.Errorf("%q and %q have one file", user, other)
		}
		seen[got] = user
	}
}

// TestOddNamesStayInside makes passwords for names that want out.
func TestOddNamesStayInside(t *testing.T) {
	c := stateless(t)
	c.TURN.Users = []User{{Name: ".."}, {Name: "../../etc/passwd"}, {Name: "/etc/passwd"}, {Name: "ann"}, {Name: "Ann"}}
	if err := c.Secrets(true); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(c.StateDir)
	if err != nil || len(entries) != len(c.TURN.Users)+1 {
		t.Errorf("state_dir holds %v, error %v", entries, err)
	}
}

// TestPasswordPath holds that it names the file that Secrets makes, whatever the
// user is called.
func TestPasswordPath(t *testing.T) {
	for _, name := range []string{"admin", "Ann", "小明", "../../x", strings.Repeat("长", 42)} {
		c := stateless(t)
		c.TURN.Users = []User{{Name: name}}
		if err := c.Secrets(true); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(c.PasswordPath(name))
		if err != nil || strings.TrimSpace(string(text)) != c.TURN.Users[0].Password {
			t.Errorf("user %q: %q, error %v", name, text, err)
		}
	}
}

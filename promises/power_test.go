//go:build linux

package promises

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// disk is a file system of its own in a file, whose power can be cut: what was
// not synced is gone then.
type disk struct {
	t       *testing.T
	dir     string // holds the file and the place it is mounted at
	at      string
	options string
}

// newDisk makes one; it is taken down with the test, whatever happens.
func newDisk(t *testing.T, kind, options string) *disk {
	t.Helper()
	needRoot(t)
	make := tool(t, "mkfs."+kind)
	dir, err := os.MkdirTemp(memory(), "tkdisk")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	d := &disk{t, dir, filepath.Join(dir, "at"), options}
	must(t, os.Mkdir(d.at, 0o755))
	image, err := os.Create(d.image())
	must(t, err)
	must(t, image.Truncate(320<<20)) // the least that mkfs.xfs takes; a file with holes
	must(t, image.Close())
	d.do(make, "-q", d.image())
	t.Cleanup(d.away)
	d.mount()
	return d
}

func (d *disk) image() string { return filepath.Join(d.dir, "image") }

func (d *disk) do(name string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func (d *disk) mount() {
	d.t.Helper()
	d.do("mount", "-o", strings.TrimSuffix("loop,"+d.options, ","), d.image(), d.at)
}

// cut is a power cut: from now on nothing reaches the disk, the journal
// neither (FS_IOC_SHUTDOWN, no flush of the log).
func (d *disk) cut() {
	d.t.Helper()
	const (
		shutdown   = 0x8004587d // _IOR('X', 125, __u32)
		noLogFlush = 2
	)
	f, err := os.Open(d.at)
	must(d.t, err)
	defer f.Close()
	how := uint32(noLogFlush)
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&how))); e != 0 {
		d.t.Fatalf("cut the power of %s: %v", d.at, e)
	}
}

// back mounts it again, after a cut and the end of whoever used it.
func (d *disk) back() {
	d.t.Helper()
	var err error
	for range 100 {
		if err = unix.Unmount(d.at, 0); err == nil {
			d.mount()
			return
		}
		time.Sleep(20 * time.Millisecond) // a process is still ending
	}
	d.t.Fatalf("unmount %s: %v", d.at, err)
}

// away takes it down, also where something still uses it.
func (d *disk) away() {
	unix.Unmount(d.at, unix.MNT_DETACH)
	out, _ := exec.Command("losetup", "-j", d.image(), "-n", "-O", "NAME").Output()
	for _, loop := range strings.Fields(string(out)) {
		exec.Command("losetup", "-d", loop).Run()
	}
}

// on gives a copy of a branch whose data directory is on the disk, safely.
func (b *branch) on(d *disk) *branch {
	b.t.Helper()
	c := b.copied()
	data := filepath.Join(d.at, "data")
	d.do("cp", "-a", c.data, data)
	must(b.t, os.RemoveAll(c.data))
	c.data = data
	d.sync()
	return c
}

func (d *disk) sync() {
	f, err := os.Open(d.at)
	must(d.t, err)
	defer f.Close()
	must(d.t, unix.Syncfs(int(f.Fd())))
}

// disks are the file systems whose power is cut. With commit=1000 the journal
// of ext4 is written only when somebody syncs.
var disks = []struct {
	kind, options string
	quick, inFull int
}{
	{"ext4", "", 1, 100},
	{"ext4", "commit=1000", 2, 100},
	{"xfs", "", 2, 100},
}

// The power is cut under load. What was acknowledged is there when it is back.
func TestPromise01PowerCutsLoseNothing(t *testing.T) {
	needRoot(t)
	t.Parallel()
	rng := random(t)
	base := peopled(t, 60)
	for _, k := range disks {
		t.Run(k.kind+" "+k.options, func(t *testing.T) {
			seen := tally{}
			for left := times(k.quick, k.inFull); left > 0; {
				disk := newDisk(t, k.kind, k.options)
				l := newClients(base.in(t).on(disk))
				disk.sync()
				for range min(left, 20) {
					left--
					if bad := l.cut(disk, time.Duration(100+rng.IntN(times(300, 700)))*time.Millisecond); len(bad) > 0 {
						t.Fatalf("%d to go: %q", left, bad[:min(len(bad), 10)])
					}
				}
				seen.add(l)
				t.Logf("%d cuts to go; acknowledged, and there: %v", left, seen)
				disk.away()
				l.branch.discard()
			}
			seen.enough(t)
		})
	}
}

// cut cuts the power under load and looks at what there is after it.
func (l *clients) cut(disk *disk, after time.Duration) []string {
	d := l.branch.start()
	l.under(d, after, func() {
		disk.cut()
		time.Sleep(10 * time.Millisecond) // no answer may come now
		d.kill()
	})
	disk.back()
	return l.verdict()
}

// A build whose syncs do nothing is found out by the same cuts.
func TestPromise01ThePowerCutsFindABuildThatDoesNotSync(t *testing.T) {
	needRoot(t)
	t.Parallel()
	base := peopled(t, 60)
	base.program = planted(t, "store/bolt/bolt.go", "NoStatistics:    true,", "NoStatistics: true, NoSync: true,")
	for _, k := range disks[1:] {
		disk := newDisk(t, k.kind, k.options)
		l := newClients(base.on(disk))
		disk.sync()
		if bad := l.cut(disk, 400*time.Millisecond); len(bad) == 0 {
			t.Errorf("%s %s: nothing of %d acknowledged changes was missed", k.kind, k.options, len(l.acked))
		}
	}
}

// What is put in place by renaming is there after a cut that comes right after
// the answer: a new store, a rulebook.
func TestPromise01APowerCutAfterARenameLosesNothing(t *testing.T) {
	needRoot(t)
	t.Parallel()
	base := peopled(t, 20)
	edited := strings.Replace(rulebook, "name: 催收", "name: 催收贷款", 1)
	for _, k := range disks[1:] {
		for range times(1, 20) {
			disk := newDisk(t, k.kind, k.options)
			b := base.on(disk)
			fresh := *b
			fresh.data = filepath.Join(disk.at, "fresh")
			fresh.must("init", "--go-live", today().String())
			b.must("rules", "activate", b.file("edited.yaml", edited))
			disk.cut()
			disk.back()
			fresh.sound()
			fresh.must("status")
			b.sound()
			text, err := os.ReadFile(filepath.Join(b.data, "rules.yaml"))
			if err != nil || string(text) != edited {
				t.Errorf("%s: the rulebook that was activated is lost: %v", k.kind, err)
			}
			if digest := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(edited))); !strings.Contains(b.must("status", "-o", "json"), digest) {
				t.Errorf("%s: the rulebook that was activated is not in force", k.kind)
			}
			disk.away()
			b.discard()
		}
	}
}

//go:build linux

package promises

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A command under ptrace, which is ended before its n-th call that changes a
// file or says something. strace can do that too, but counts for each thread
// by itself, and a goroutine comes back from a sync on another thread: some
// calls would never be the n-th of any. Here all threads and all children are
// counted together, so that 1, 2, 3, … meets every call.

// traced is how a command ended that was watched.
type traced struct {
	result
	killed bool
	calls  []string // that changed a file or said something, in order; the last one did not happen if it was killed
}

// watched are the calls that count.
var watched = map[uint64]string{
	unix.SYS_WRITE: "write", unix.SYS_WRITEV: "writev", unix.SYS_PWRITE64: "pwrite64", unix.SYS_PWRITEV: "pwritev", unix.SYS_PWRITEV2: "pwritev2",
	unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_MSYNC: "msync", unix.SYS_SYNC_FILE_RANGE: "sync_file_range",
	unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_TRUNCATE: "truncate", unix.SYS_FALLOCATE: "fallocate",
	unix.SYS_RENAMEAT: "renameat", unix.SYS_RENAMEAT2: "renameat2", unix.SYS_LINKAT: "linkat", unix.SYS_UNLINKAT: "unlinkat", unix.SYS_MKDIRAT: "mkdirat",
	unix.SYS_OPENAT: "openat", unix.SYS_COPY_FILE_RANGE: "copy_file_range", unix.SYS_SENDFILE: "sendfile", unix.SYS_SPLICE: "splice", unix.SYS_FCHMODAT: "fchmodat",
}

// trace runs a command and ends it, with its children, at the entry of call
// number kill; 0 lets it run.
func (b *branch) trace(kill int, args ...string) traced {
	b.t.Helper()
	r := make(chan traced)
	errs := make(chan error, 1)
	go func() {
		t, err := b.follow(kill, args...)
		errs <- err
		r <- t
	}()
	err, t := <-errs, <-r
	must(b.t, err)
	return t
}

// follow is trace on a thread of its own, which ptrace wants; the thread ends
// with the goroutine.
func (b *branch) follow(kill int, args ...string) (r traced, err error) {
	runtime.LockOSThread()
	out, err := os.CreateTemp(b.dir, "out")
	if err != nil {
		return r, err
	}
	defer out.Close()
	said, err := os.CreateTemp(b.dir, "err")
	if err != nil {
		return r, err
	}
	defer said.Close()
	c := b.command(args...)
	c.Stdout, c.Stderr = out, said
	c.SysProcAttr.Ptrace = true
	if err := c.Start(); err != nil {
		return r, err
	}
	first := c.Process.Pid
	defer c.Process.Release() // it is waited for here
	// The children of other tests, which this thread may have begun before, are
	// not ours to wait for: the command is a process group of its own.
	wait := func(pid int, ws *unix.WaitStatus) (int, error) {
		for {
			id, err := unix.Wait4(pid, ws, unix.WALL|unix.WNOTHREAD, nil)
			if !errors.Is(err, unix.EINTR) {
				return id, err
			}
		}
	}
	var ws unix.WaitStatus
	if _, err := wait(first, &ws); err != nil {
		return r, err
	}
	err = unix.PtraceSetOptions(first, unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_TRACEFORK|unix.PTRACE_O_TRACEVFORK|unix.PTRACE_O_TRACEEXEC|unix.PTRACE_O_EXITKILL)
	if err != nil {
		return r, err
	}
	known := map[int]bool{first: true}
	goOn := func(tid, signal int) { unix.PtraceSyscall(tid, signal) } // ESRCH: it is being killed, and is waited for
	for goOn(first, 0); ; {
		tid, err := wait(-first, &ws)
		if errors.Is(err, unix.ECHILD) {
			break
		}
		if err != nil {
			return r, err
		}
		if !ws.Stopped() { // a thread or a child has ended
			if tid == first && !r.killed {
				r.code = ws.ExitStatus()
			}
			continue
		}
		signal := 0
		switch s := ws.StopSignal(); {
		case s == syscall.SIGTRAP|0x80:
			if call := callOf(tid, b.dir); call != "" && !r.killed {
				r.calls = append(r.calls, call)
				if r.killed = len(r.calls) == kill; r.killed {
					r.code = -1
					if err := unix.Kill(-first, unix.SIGKILL); err != nil {
						return r, err
					}
				}
			}
		case s == syscall.SIGTRAP: // a clone, an exec
		case s == syscall.SIGSTOP && !known[tid]: // how a new thread begins
		default:
			signal = int(s)
		}
		known[tid] = true
		goOn(tid, signal)
	}
	for _, f := range []struct {
		file *os.File
		to   *string
	}{{out, &r.out}, {said, &r.err}} {
		text, err := os.ReadFile(f.file.Name())
		if err != nil {
			return r, err
		}
		*f.to = string(text)
		os.Remove(f.file.Name())
	}
	return r, nil
}

// syscallInfo is the kernel's struct ptrace_syscall_info at the entry of a call.
type syscallInfo struct {
	op   uint8 // 1 at the entry
	_    [3]uint8
	arch uint32
	_    [2]uint64 // instruction and stack pointer
	nr   uint64
	args [6]uint64
	_    uint64
}

const ptraceGetSyscallInfo = 0x420e

// callOf names the call that a stopped thread is about to make, if it counts:
// one on a file in dir, on what the command says, or on a name.
func callOf(tid int, dir string) string {
	var info syscallInfo
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, ptraceGetSyscallInfo, uintptr(tid), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	name := watched[info.nr]
	if errno != 0 || info.op != 1 || name == "" {
		return ""
	}
	switch name {
	case "openat":
		if info.args[2]&unix.O_CREAT == 0 {
			return ""
		}
		return name + " " + nameAt(tid, info.args[1])
	case "mkdirat", "unlinkat", "fchmodat":
		return name + " " + nameAt(tid, info.args[1])
	case "renameat", "renameat2", "linkat":
		return name + " " + nameAt(tid, info.args[3])
	case "truncate", "msync":
		return name
	}
	fd := int(info.args[0])
	if fd == 1 || fd == 2 {
		return fmt.Sprintf("%s %d", name, fd)
	}
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, fd))
	if err != nil || !strings.HasPrefix(path, dir) {
		return "" // pipes and events of the runtime
	}
	return name + " " + filepath.Base(path)
}

// nameAt reads a name from a stopped thread's memory.
func nameAt(tid int, at uint64) string {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", tid))
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, 256)
	n, _ := f.ReadAt(b, int64(at))
	name, _, _ := bytes.Cut(b[:n], []byte{0})
	return filepath.Base(string(name))
}

// The tracer sees what a command does to its files, all of it, and ends it
// where it is told to.
func TestTheTracerMeetsEveryCall(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	loans := b.file("loans.csv", ledger(3, today(), 0))
	whole := b.copied().trace(0, "import", loans)
	if whole.code != 0 {
		t.Fatal(whole)
	}
	var syncs, writes int
	for _, c := range whole.calls {
		switch {
		case c == "fdatasync tickler.db":
			syncs++
		case c == "pwrite64 tickler.db":
			writes++
		}
	}
	if syncs < 2 || writes < 3 {
		t.Errorf("a commit is pages, a sync, a header, a sync; seen: %q", whole.calls)
	}
	for n := 1; n <= len(whole.calls); n++ {
		c := b.copied()
		if r := c.trace(n, "import", loans); !r.killed || len(r.calls) != n {
			t.Errorf("call %d of %d: killed %t after %q", n, len(whole.calls), r.killed, r.calls)
		}
		c.discard()
	}
}

//go:build linux && amd64

package promises

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A wall is a wall clock that a process is deceived with: the machine's own,
// which is never touched, and an offset that the test moves. The test binary
// starts the program as its tracer, hides the vDSO from it, so that it asks the
// kernel for the time, and adds the offset to what the kernel says of the wall.
// The monotonic clock stays as it is, as with a machine whose time is set.
type wall struct {
	t *testing.T
	f *os.File
}

const (
	stepEnv  = "TICKLER_CLOCKSTEP"  // file with the offset in seconds: be the tracer of the arguments
	probeEnv = "TICKLER_CLOCKPROBE" // print both clocks until killed
)

func newWall(t *testing.T) *wall {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "offset"))
	must(t, err)
	t.Cleanup(func() { f.Close() })
	w := &wall{t, f}
	w.set(0)
	return w
}

// set moves the wall to so much from the machine's.
func (w *wall) set(offset time.Duration) {
	w.t.Helper()
	_, err := w.f.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(offset/time.Second)), 0)
	must(w.t, err)
}

// under gives the branch with its commands under this wall.
func (b *branch) under(w *wall) *branch {
	b.t.Helper()
	self, err := os.Executable()
	must(b.t, err)
	c := *b
	c.wrap = append([]string{self}, b.wrap...)
	c.env = append([]string{stepEnv + "=" + w.f.Name()}, b.env...)
	return &c
}

// The test binary is started again as the tracer, before any test is looked at.
func init() {
	switch {
	case os.Getenv(stepEnv) != "":
		code, err := trace(os.Getenv(stepEnv), os.Args[1:])
		if err != nil {
			fmt.Fprintln(os.Stderr, "clockstep:", err)
			code = 125
		}
		os.Exit(code)
	case os.Getenv(probeEnv) != "":
		for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
			fmt.Println(time.Now().Unix(), time.Since(began).Milliseconds())
		}
	}
}

const (
	atSysinfoEhdr = 33 // auxiliary vector: where the vDSO is
	atIgnore      = 1
	sysgood       = 0x80 // set in the signal of a stop at a system call

	// Of <linux/ptrace.h>; the tracees die with the tracer.
	optionExitKill = 0x00100000
	waitAll        = 0x40000000 // __WALL
)

// trace runs a program to its end, and gives its exit status.
func trace(offsetFile string, line []string) (int, error) {
	runtime.LockOSThread() // ptrace is one thread's
	f, err := os.Open(offsetFile)
	if err != nil {
		return 0, err
	}
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, stepEnv+"=") {
			env = append(env, e)
		}
	}
	first, err := syscall.ForkExec(line[0], line, &syscall.ProcAttr{Env: env, Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Ptrace: true}})
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", line[0], err)
	}
	asked := make(chan os.Signal, 4)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		for s := range asked {
			syscall.Kill(first, s.(syscall.Signal))
		}
	}()
	known := map[int]bool{} // threads seen
	for {
		var ws syscall.WaitStatus
		tid, err := syscall.Wait4(-1, &ws, waitAll, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("wait: %w", err)
		}
		switch {
		case ws.Exited() || ws.Signaled():
			delete(known, tid)
			if tid != first {
				continue
			}
			if ws.Signaled() {
				return 128 + int(ws.Signal()), nil
			}
			return ws.ExitStatus(), nil
		case !ws.Stopped():
			continue
		}
		deliver := 0
		switch stop := ws.StopSignal(); {
		case stop == syscall.SIGTRAP|sysgood:
			shift(tid, f)
		case tid == first && !known[tid]: // the stop behind its exec
			err = syscall.PtraceSetOptions(tid, syscall.PTRACE_O_TRACESYSGOOD|syscall.PTRACE_O_TRACECLONE|syscall.PTRACE_O_TRACEFORK|
				syscall.PTRACE_O_TRACEVFORK|syscall.PTRACE_O_TRACEEXEC|optionExitKill)
			if err == nil {
				err = hideVDSO(tid)
			}
			if err != nil {
				return 0, err
			}
		case stop == syscall.SIGTRAP && ws.TrapCause() == syscall.PTRACE_EVENT_EXEC:
			if err := hideVDSO(tid); err != nil {
				return 0, err
			}
		case stop == syscall.SIGTRAP && ws.TrapCause() > 0: // a thread or process was made; it stops by itself
		case stop == syscall.SIGSTOP && !known[tid]: // that stop
		default:
			deliver = int(stop)
		}
		known[tid] = true
		// One that was killed meanwhile is waited for.
		if err := syscall.PtraceSyscall(tid, deliver); err != nil && err != syscall.ESRCH {
			return 0, fmt.Errorf("go on with thread %d: %w", tid, err)
		}
	}
}

// hideVDSO takes the vDSO out of the auxiliary vector of a program about to
// begin. Its stack: argc, argv, 0, envp, 0, pairs.
func hideVDSO(pid int) error {
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(pid, &regs); err != nil {
		return fmt.Errorf("read the registers: %w", err)
	}
	word := func(at uint64) (uint64, error) {
		b := make([]byte, 8)
		_, err := syscall.PtracePeekData(pid, uintptr(at), b)
		return binary.LittleEndian.Uint64(b), err
	}
	at := regs.Rsp
	argc, err := word(at)
	if err != nil {
		return fmt.Errorf("read the stack: %w", err)
	}
	at += 8 * (argc + 2)
	for v := uint64(1); v != 0; at += 8 {
		if v, err = word(at); err != nil {
			return fmt.Errorf("read the environment: %w", err)
		}
	}
	for {
		key, err := word(at)
		switch {
		case err != nil:
			return fmt.Errorf("read the auxiliary vector: %w", err)
		case key == 0:
			return nil // there is none
		case key == atSysinfoEhdr:
			_, err := syscall.PtracePokeData(pid, uintptr(at), binary.LittleEndian.AppendUint64(nil, atIgnore))
			return err
		}
		at += 16
	}
}

// shift adds the offset to what a system call that has just ended said of the
// wall. Where one begins its result is not there yet: -ENOSYS.
func shift(tid int, f *os.File) {
	var regs syscall.PtraceRegs
	if syscall.PtraceGetRegs(tid, &regs) != nil {
		return // killed
	}
	var at uint64
	switch {
	case regs.Orig_rax == syscall.SYS_CLOCK_GETTIME && regs.Rax == 0 && (regs.Rdi == clockRealtime || regs.Rdi == clockRealtimeCoarse):
		at = regs.Rsi
	case regs.Orig_rax == syscall.SYS_GETTIMEOFDAY && regs.Rax == 0:
		at = regs.Rdi
	}
	if at == 0 {
		return
	}
	offset, seconds := make([]byte, 8), make([]byte, 8)
	if _, err := f.ReadAt(offset, 0); err != nil {
		return
	}
	if _, err := syscall.PtracePeekData(tid, uintptr(at), seconds); err != nil {
		return
	}
	sum := binary.LittleEndian.Uint64(seconds) + binary.LittleEndian.Uint64(offset)
	syscall.PtracePokeData(tid, uintptr(at), binary.LittleEndian.AppendUint64(nil, sum))
}

const (
	clockRealtime       = 0
	clockRealtimeCoarse = 5
)

// The wall moves, back too, and the monotonic clock does not.
func TestWallMovesAlone(t *testing.T) {
	t.Parallel()
	w := newWall(t)
	b := (&branch{t: t, dir: t.TempDir(), env: []string{probeEnv + "=1"}}).under(w)
	c := b.command()
	c.Args = []string{b.wrap[0], b.wrap[0]}
	out := &lockedBuffer{}
	c.Stdout, c.Stderr = out, out
	must(t, c.Start())
	defer func() {
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		c.Wait()
	}()
	began := time.Now()
	last := int64(0)
	for _, offset := range []time.Duration{0, 365 * 24 * time.Hour, -365 * 24 * time.Hour, time.Second, 0} {
		w.set(offset)
		seen := len(out.String())
		var shown, mono int64
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			fields := strings.Fields(out.String()[seen:])
			if len(fields) > 8 { // the first may be of before
				fmt.Sscan(fields[len(fields)-4], &shown)
				fmt.Sscan(fields[len(fields)-3], &mono)
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the probe says nothing: %q", out.String())
			}
		}
		if d := shown - time.Now().Add(offset).Unix(); d < -2 || d > 2 {
			t.Errorf("offset %s: the wall is %d s off", offset, d)
		}
		if mono < last || mono > time.Since(began).Milliseconds()+50 {
			t.Errorf("offset %s: the monotonic clock went from %d ms to %d ms", offset, last, mono)
		}
		last = mono
	}
}

// needClockstep fails where no process can be deceived about the wall.
func needClockstep(*testing.T) {}

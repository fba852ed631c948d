//go:build linux

package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// machine says in words what the figures were measured on.
func machine() string {
	words := []string{fmt.Sprintf("%d cores", runtime.NumCPU())}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`(?m)^model name\s*:\s*(.*)$`).FindSubmatch(text); m != nil {
			words[0] += " (" + string(m[1]) + ")"
		}
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		words = append(words, fmt.Sprintf("%.0f GiB of memory", float64(info.Totalram)*float64(info.Unit)/(1<<30)))
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		release, _, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), "-")
		words = append(words, unix.ByteSliceToString(name.Sysname[:])+" "+release)
	}
	return strings.Join(append(words, runtime.Version()), ", ")
}

// What a loan takes of the disk at the most, in bytes: two stores and two files
// amid the scans; its obligations as text, in PostgreSQL, SQLite and pebble.
const (
	roomALoan = 16 << 10
	roomHeld  = 48 << 10
)

// room refuses a disk that would be full amid a run.
func room(dir string, loans, held int) error {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return fmt.Errorf("ask for the room in %q: %w", dir, err)
	}
	free, want := int64(disk.Bavail)*disk.Bsize, int64(loans)*roomALoan+int64(min(loans, held))*roomHeld
	if free < want {
		return fmt.Errorf("%s is free for %q, and %s loans may take %s: give TMPDIR a larger disk, or measure fewer LOANS or HELD", size(free), dir, count(loans), size(want))
	}
	return nil
}

// load is the machine's load average over a minute: what else ran.
func load() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	f, _ := strconv.ParseFloat(first, 64)
	return f
}

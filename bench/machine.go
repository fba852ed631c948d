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

//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// mine says that a file is this user's. Everything is root's.
func mine(fi fs.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	return !ok || os.Geteuid() == 0 || int(st.Uid) == os.Geteuid()
}

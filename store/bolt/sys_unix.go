//go:build !windows

package bolt

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapAhead is how much of the file is mapped from the start, 8 GiB where there is
// room for it in the addresses: while the file is smaller, a reader never makes a
// writer wait for the map to grow, and a change does not copy itself out of the
// old map. It takes no memory.
const mapAhead = 256 << 20 << (5 * (^uint(0) >> 63))

// shed gives up the pages of a map that are in memory. They are read again
// when they are asked for, from the system's cache most likely.
func shed(data []byte) error { return unix.Madvise(data, unix.MADV_DONTNEED) }

func tryLock(f *os.File, shared bool) error {
	how := unix.LOCK_EX
	if shared {
		how = unix.LOCK_SH
	}
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch err {
		case unix.EINTR:
			continue
		case unix.EWOULDBLOCK:
			return errHeld
		}
		return err
	}
}

// tryFileLock takes the lock that bbolt takes on the database file, to look at
// the file while nobody writes it. Closing f gives it up.
func tryFileLock(f *os.File, shared bool) error { return tryLock(f, shared) }

// noSpace are the errors of a write that found no room: a full disk, a quota, a
// limit on the length of files.
var noSpace = []error{unix.ENOSPC, unix.EDQUOT, unix.EFBIG}

// syncDir makes a rename in the directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// freeBytes says how much this process may still write on a directory's disk.
func freeBytes(dir string) (n uint64, ok bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Blocks == 0 {
		return 0, false
	}
	return uint64(st.Bavail) * uint64(st.Bsize), true
}

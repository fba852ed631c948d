package bolt

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// mapAhead is nothing: on Windows the file itself would grow to it.
const mapAhead = 0

// shed leaves that to the system.
func shed([]byte) error { return nil }

// tryLock locks a byte far beyond the content, which stays readable.
func tryLock(f *os.File, shared bool) error { return lockAt(f, shared, 1<<30) }

func lockAt(f *os.File, shared bool, high uint32) error {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if !shared {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{Offset: ^uint32(0), OffsetHigh: high})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errHeld
	}
	return err
}

// tryFileLock takes the lock that bbolt takes on the database file, to look at
// the file while nobody writes it. Closing f gives it up.
func tryFileLock(f *os.File, shared bool) error { return lockAt(f, shared, ^uint32(0)) }

// noSpace are the errors of a write that found no room.
var noSpace = []error{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL}

// syncDir is nothing: a directory cannot be synced on Windows, where a rename
// is in the journal of the file system.
func syncDir(string) error { return nil }

// freeBytes says how much this process may still write on a directory's disk.
func freeBytes(dir string) (n uint64, ok bool) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, false
	}
	return n, windows.GetDiskFreeSpaceEx(name, &n, nil, nil) == nil
}

//go:build unix

package scheduler

import "golang.org/x/sys/unix"

// diskFree gives how many bytes a user may still write to the disk of a
// directory; known is false where the system does not say.
func diskFree(dir string) (free uint64, known bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return uint64(st.Bavail) * uint64(st.Bsize), true
}

// unwritable says why nothing can be written into a directory; nil where it
// can. Root is refused by a disk that was mounted for reading only.
func unwritable(dir string) error { return unix.Access(dir, unix.W_OK) }

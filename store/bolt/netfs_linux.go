package bolt

import "golang.org/x/sys/unix"

// networkDisk names the network file system that a path is on, "" where it is
// on none known. Locks and maps cannot be trusted there.
func networkDisk(path string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return ""
	}
	switch uint32(st.Type) {
	case 0x6969:
		return "NFS"
	case 0xff534d42, 0xfe534d42, 0x517b:
		return "SMB"
	case 0x00c36400:
		return "Ceph"
	}
	return ""
}

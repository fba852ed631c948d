//go:build !linux

package bolt

// networkDisk is not known here.
func networkDisk(string) string { return "" }

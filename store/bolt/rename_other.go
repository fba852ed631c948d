//go:build !linux

package bolt

// renameNew gives a file a name that no other file has.
func renameNew(from, to string) error { return renameChecked(from, to) }

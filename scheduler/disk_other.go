//go:build !unix

package scheduler

func diskFree(string) (free uint64, known bool) { return 0, false }

func unwritable(string) error { return nil }

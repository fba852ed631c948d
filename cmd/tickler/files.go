package main

import (
	"os"

	"tickler/scheduler"
)

// writeFile puts a whole file in place, or nothing.
func writeFile(path string, text []byte, mode os.FileMode) error {
	return scheduler.WriteFile(path, text, mode)
}

package storetest

import (
	"testing"

	"tickler/store"
)

func TestMemory(t *testing.T) {
	Run(t, func(*testing.T) store.Backend { return NewMemory() })
}

package obligation

import "hash/maphash"

// keyTable finds obligations of a list by their keys: a hash table of places,
// used again from unit to unit.
type keyTable struct {
	seed  maphash.Seed
	slots []uint32 // place in the list + 1; 0 is free
	mask  uint64
}

// reset empties the table and makes room for n keys.
func (t *keyTable) reset(n int) {
	size := 64
	for size < 2*n {
		size *= 2
	}
	if size > len(t.slots) {
		t.slots, t.seed = make([]uint32, size), maphash.MakeSeed()
	} else {
		clear(t.slots[:size])
	}
	t.mask = uint64(size - 1)
}

func (t *keyTable) hash(k *Key) uint64 {
	h := maphash.String(t.seed, k.Occurrence)
	h = h*31 + maphash.String(t.seed, k.Subject.ID)
	h = h*31 + maphash.String(t.seed, k.Rule)
	if k.Party.ID != "" {
		h = h*31 + maphash.String(t.seed, k.Party.ID)
	}
	return h ^ h>>32
}

// enter adds an obligation of the list. Of equal keys the one entered last is
// found.
func (t *keyTable) enter(list []Obligation, at int) {
	h := t.hash(&list[at].Key) & t.mask
	for ; t.slots[h] > 0; h = (h + 1) & t.mask {
		if list[t.slots[h]-1].Key == list[at].Key {
			break
		}
	}
	t.slots[h] = uint32(at + 1)
}

// find gives the place of a key in the list, or -1.
func (t *keyTable) find(list []Obligation, k *Key) int {
	for h := t.hash(k) & t.mask; t.slots[h] > 0; h = (h + 1) & t.mask {
		if at := int(t.slots[h] - 1); list[at].Key == *k {
			return at
		}
	}
	return -1
}

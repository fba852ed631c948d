package store

import (
	"encoding/binary"
	"maps"
)

// dict numbers the strings that many records name: rules, roles, branches,
// officers, digests, column headers. A record holds the number. A number is
// given once and for ever; 0 is the empty string.
//
// A dict is never changed once another transaction can see it: the first new
// string of a transaction copies it.
type dict struct {
	byID  []string // byID[0] is ""
	byStr map[string]uint32
}

// maxDictString bounds what is worth a number; longer text stays in its record.
const maxDictString = 256

func newDict() *dict {
	return &dict{byID: []string{""}, byStr: map[string]uint32{"": 0}}
}

func (d *dict) clone() *dict {
	return &dict{byID: append([]string(nil), d.byID...), byStr: maps.Clone(d.byStr)}
}

const dictVersion = 1

// loadDict reads the strings that were added since.
func (tx *Tx) loadDict() error {
	var own *dict
	from := binary.BigEndian.AppendUint32(nil, uint32(len(tx.dict.byID)))
	err := tx.scan(bucketDict, from, nil, dictVersion, func(key, payload []byte) error {
		if own == nil {
			own = tx.dict.clone()
			tx.ownDict = true
		}
		if len(key) != 4 || int(binary.BigEndian.Uint32(key)) != len(own.byID) {
			return damaged(bucketDict, key, "a number is missing before it")
		}
		s := string(payload)
		own.byStr[s] = uint32(len(own.byID))
		own.byID = append(own.byID, s)
		return nil
	})
	if err != nil {
		return err
	}
	if own != nil {
		tx.dict = own
		if tx.w == nil && !tx.forked {
			tx.store.learnDict(own)
		}
	}
	return nil
}

// learnDict keeps what a View read, unless more is known already.
func (s *Store) learnDict(d *dict) {
	for {
		old := s.dict.Load()
		if len(old.byID) >= len(d.byID) || s.dict.CompareAndSwap(old, d) {
			return
		}
	}
}

// number gives the number of a string, adding it where it is new.
func (tx *Tx) number(s string) (uint32, error) {
	if n, ok := tx.dict.byStr[s]; ok {
		return n, nil
	}
	if tx.w == nil {
		return 0, errReadOnly
	}
	if !tx.dictRead {
		tx.dictRead = true
		if err := tx.loadDict(); err != nil {
			return 0, err
		}
		if n, ok := tx.dict.byStr[s]; ok {
			return n, nil
		}
	}
	if !tx.ownDict {
		tx.dict, tx.ownDict = tx.dict.clone(), true
	}
	n := uint32(len(tx.dict.byID))
	if err := tx.put(bucketDict, binary.BigEndian.AppendUint32(nil, n), dictVersion, []byte(s)); err != nil {
		return 0, err
	}
	tx.dict.byStr[s] = n
	tx.dict.byID = append(tx.dict.byID, s)
	return n, nil
}

// lookup gives the string of a number.
func (tx *Tx) lookup(n uint64) (string, bool, error) {
	if n >= uint64(len(tx.dict.byID)) {
		if err := tx.loadDict(); err != nil {
			return "", false, err
		}
		if n >= uint64(len(tx.dict.byID)) {
			return "", false, nil
		}
	}
	return tx.dict.byID[n], true, nil
}

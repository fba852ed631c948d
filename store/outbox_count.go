package store

import (
	"encoding/binary"
	"encoding/json"
)

// CountOutbox counts at most n of the messages still to be sent, after the given
// id; 0 begins. It gives the last id counted, or 0 at the end, and hands the
// first message of all to oldest. So a long outbox is counted page by page, a
// View each.
func (tx *Tx) CountOutbox(after uint64, n int, oldest func(Message)) (counted int, last uint64, err error) {
	err = tx.scan(bucketOutbox, messageKey(after+1), nil, jsonVersion, func(key, payload []byte) error {
		if counted == n {
			return errStop
		}
		if len(key) != 8 {
			return damaged(bucketOutbox, key, "it names no message")
		}
		if after == 0 && counted == 0 {
			var m Message
			if err := json.Unmarshal(payload, &m); err != nil {
				return damaged(bucketOutbox, key, "%v", err)
			}
			oldest(m)
		}
		counted++
		last = binary.BigEndian.Uint64(key)
		return nil
	})
	if err == errStop {
		return counted, last, nil
	}
	return counted, 0, err
}

// Messages gives how many messages were ever enqueued.
func (tx *Tx) Messages() (uint64, error) {
	if n, given := tx.numbers["outbox"]; given {
		return n, nil
	}
	return tx.getUint64(bucketSeq, []byte("outbox"))
}

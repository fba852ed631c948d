package store

import (
	"encoding/binary"
	"hash/crc32"
)

// Every record, in every bucket, is sealed:
//
//	version 1 byte | payload | crc32c 4 bytes, big endian
//
// The checksum (Castagnoli) runs over
//
//	len(bucket) uvarint | bucket | len(key) uvarint | key | version | payload
//
// so that a flipped bit is found, and a record that turns up under another
// key or in another bucket as well.
const sealSize = 1 + 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sealSum(bucket string, key, body []byte) uint32 {
	sum, ok := bucketSums[bucket]
	if !ok {
		sum = bucketSum(bucket)
	}
	var size []byte
	if n := len(key); n < len(oneByte) {
		size = oneByte[n : n+1]
	} else {
		size = binary.AppendUvarint(nil, uint64(n))
	}
	return crc32.Update(crc32.Update(crc32.Update(sum, castagnoli, size), castagnoli, key), castagnoli, body)
}

// bucketSums is what each bucket's checksums begin with.
var bucketSums = func() map[string]uint32 {
	out := make(map[string]uint32, len(Buckets))
	for _, b := range Buckets {
		out[b] = bucketSum(b)
	}
	return out
}()

func bucketSum(bucket string) uint32 {
	return crc32.Update(0, castagnoli, append(binary.AppendUvarint(nil, uint64(len(bucket))), bucket...))
}

// oneByte holds the lengths that are written as one byte, each at its place.
var oneByte = func() []byte {
	out := make([]byte, 1<<7)
	for n := range out {
		out[n] = byte(n)
	}
	return out
}()

// seal makes a record of a payload.
func seal(bucket string, key []byte, version byte, payload []byte) []byte {
	return appendSealed(make([]byte, 0, len(payload)+sealSize), bucket, key, version, payload)
}

// appendSealed appends a record of a payload to rec, which is empty.
func appendSealed(rec []byte, bucket string, key []byte, version byte, payload []byte) []byte {
	rec = append(append(rec, version), payload...)
	return binary.BigEndian.AppendUint32(rec, sealSum(bucket, key, rec))
}

// unseal gives a record's version and payload, which is a part of rec.
func unseal(bucket string, key, rec []byte) (version byte, payload []byte, err error) {
	if len(rec) < sealSize {
		return 0, nil, damaged(bucket, key, "the record is cut short")
	}
	body, sum := rec[:len(rec)-4], binary.BigEndian.Uint32(rec[len(rec)-4:])
	if sealSum(bucket, key, body) != sum {
		return 0, nil, damaged(bucket, key, "the checksum does not match")
	}
	return body[0], body[1:], nil
}

// open is unseal for a bucket whose records are of one version.
func open(bucket string, key, rec []byte, version byte) ([]byte, error) {
	v, payload, err := unseal(bucket, key, rec)
	switch {
	case err != nil:
		return nil, err
	case v > version:
		return nil, ErrNewer
	case v != version:
		return nil, damaged(bucket, key, "the record has the unknown form %d", v)
	}
	return payload, nil
}

// VerifyRecord says whether a value is a sealed record of that key, for
// backends that check what they hold. The error is a *Damage.
func VerifyRecord(bucket string, key, value []byte) error {
	_, _, err := unseal(bucket, key, value)
	return err
}

// SealRecord makes a record, for tests of backends and for tools; VerifyRecord
// is its counterpart.
func SealRecord(bucket string, key []byte, version byte, payload []byte) []byte {
	return seal(bucket, key, version, payload)
}

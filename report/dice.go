package report

import (
	"crypto/sha256"
	"encoding/binary"

	"tickler/calendar"
)

// SeedOf is the seed of a branch's sample on a day when nobody names another:
// the first four bytes of the SHA-256 of "BRANCH\nYYYY-MM-DD". The same command
// gives the same sample, so that nobody can draw again until he likes what he
// sees, and a seed that is another one shows in the papers. It is a small
// number, to be typed from paper and kept whole by every reader of JSON.
func SeedOf(branch string, on calendar.Date) uint32 {
	sum := sha256.Sum256([]byte(branch + "\n" + on.String()))
	return binary.BigEndian.Uint32(sum[:4])
}

// dice is splitmix64 (Steele, Lea and Flood, 2014). It is written out here so
// that a seed gives the same sample in every version of the program and of Go.
type dice struct{ state uint64 }

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below gives a number from 0 to n-1, each as likely as the others: what falls
// into the incomplete run of n at the bottom is thrown again.
func (d *dice) below(n int) int {
	m := uint64(n)
	for {
		if v := d.next(); v >= -m%m {
			return int(v % m)
		}
	}
}

// shuffle puts a list in random order (Fisher and Yates, from the end).
func shuffle[T any](d *dice, list []T) {
	for i := len(list) - 1; i > 0; i-- {
		j := d.below(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}

package loan

import (
	"fmt"
	"strconv"
)

// Fen is an amount of money in fen (分), a hundredth of a yuan. Money is never
// a float.
type Fen int64

// Yuan gives the amount in yuan for conditions of the rulebook, which compare
// but never add up.
func (f Fen) Yuan() float64 { return float64(f) / 100 }

// String gives the amount in yuan with two decimals: 1234.50.
func (f Fen) String() string {
	sign := ""
	u := uint64(f)
	if f < 0 {
		sign, u = "-", -u
	}
	return sign + strconv.FormatUint(u/100, 10) + "." + fmt.Sprintf("%02d", u%100)
}

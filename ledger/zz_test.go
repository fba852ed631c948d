package ledger

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestZZGen(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("ZZN"))
	for _, day := range []int{23, 24, 25} {
		var b strings.Builder
		b.WriteString(strings.Join(benchHeader, ",") + "\r\n")
		r := rand.New(rand.NewPCG(6, 1))
		for i := range n {
			c := benchRow(r, i, n)
			if day == 25 && i%100 == 7 {
				c[9] = "1234.56"
			}
			c[19] = "2026-11-" + strconv.Itoa(day)
			b.WriteString(strings.Join(c, ",") + "\r\n")
		}
		gb, _ := simplifiedchinese.GB18030.NewEncoder().String(b.String())
		os.WriteFile("/tmp/led/"+os.Getenv("ZZN")+"-"+strconv.Itoa(day)+".csv", []byte(gb), 0o644)
	}
}

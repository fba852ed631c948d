package main

import (
	"os"
	"strconv"

	"tickler/calendar"
)

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	Portfolio{6, n, calendar.MustDate(2026, 11, 23)}.WriteFile(os.Args[2], Changes{})
}

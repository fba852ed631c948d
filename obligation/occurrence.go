package obligation

import (
	"regexp"
	"strconv"

	"tickler/calendar"
)

var periodForm = regexp.MustCompile(`^[0-9]{4}(?:-(?:H([0-9])|Q([0-9])|W([0-9]{2})|([0-9]{2})(?:-[AB])?))?$`)

// IsOccurrence says that a text can be a period or a day as keys name them:
// 2026, 2026-H1, 2026-Q4, 2026-11, 2026-11-A, 2026-W47, 2026-11-23. No text is
// one too: nothing was named.
func IsOccurrence(s string) bool {
	if s == "" {
		return true
	}
	m := periodForm.FindStringSubmatch(s)
	if m == nil {
		_, err := calendar.ParseDate(s)
		return err == nil
	}
	for i, most := range []int{2, 4, 53, 12} {
		if m[i+1] == "" {
			continue
		}
		if n, _ := strconv.Atoi(m[i+1]); n < 1 || n > most {
			return false
		}
	}
	return true
}

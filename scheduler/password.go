package scheduler

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"tickler/api"
)

// Parameters of new hashes: 64 MiB, 3 passes, 2 lanes. A hash carries its own,
// so that they may change.
const (
	argonMemory  = 64 << 10 // KiB
	argonPasses  = 3
	argonLanes   = 2
	leastLetters = 10
)

// hashPassword gives $argon2id$v=19$m=,t=,p=$salt$hash.
func hashPassword(password string) (string, error) {
	if n := len([]rune(password)); n < leastLetters || n > 200 {
		return "", api.Errorf(api.Usage, "", "a password has %d to 200 characters (口令至少 %d 个字符)", leastLetters, leastLetters)
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	sum := argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonLanes, 32)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonLanes, enc.EncodeToString(salt), enc.EncodeToString(sum)), nil
}

// passwordFits compares in a time that says nothing of the answer. Where there
// is no hash it takes as long.
func passwordFits(hash, password string) bool {
	var version, memory, passes uint32
	var lanes uint8
	parts := strings.Split(hash, "$")
	salt, sum := make([]byte, 16), make([]byte, 32)
	memory, passes, lanes = argonMemory, argonPasses, argonLanes
	good := false
	if len(parts) == 6 && parts[1] == "argon2id" {
		_, err1 := fmt.Sscanf(parts[2], "v=%d", &version)
		_, err2 := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes)
		s, err3 := base64.RawStdEncoding.DecodeString(parts[4])
		h, err4 := base64.RawStdEncoding.DecodeString(parts[5])
		if err1 == nil && err2 == nil && err3 == nil && err4 == nil && version == argon2.Version && passes > 0 && lanes > 0 && len(h) >= 16 {
			salt, sum, good = s, h, true
		}
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, lanes, uint32(len(sum)))
	return subtle.ConstantTimeCompare(got, sum) == 1 && good
}

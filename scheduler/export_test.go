package scheduler

// May is the table of who may do what, for the matrix of the tests.
func May() map[string][]string {
	out := map[string][]string{}
	for a, roles := range may {
		out[string(a)] = roles
	}
	return out
}

// MaxEvidence is the most bytes of one file of evidence.
const MaxEvidence = maxEvidence

// ActorOf is who asks, of a context.
var ActorOf = actorOf

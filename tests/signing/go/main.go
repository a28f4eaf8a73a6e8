// A backend behind the verifier of docs/backend-signatures.md, for the tests.
//
// Prints its port. A line on standard input, {keys, resource, now}, makes a new verifier; it answers `ready`.
// A request is answered 200, or 403 with the check that refused it.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"agen-authz/signing/agen"
)

type given struct {
	Keys     map[string]string
	Resource string
	Now      int64
}

var (
	verify func(*http.Request, []byte, time.Time) error
	now    time.Time
)

func answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("connection", "close")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if err := verify(r, body, now); err != nil {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, strings.TrimPrefix(err.Error(), "not verified: "))
	}
}

func prepare(line []byte) {
	var told given
	if err := json.Unmarshal(line, &told); err != nil {
		panic(err)
	}
	now = time.Unix(told.Now, 0)
	if told.Keys == nil {
		return
	}
	keys := map[string][]byte{}
	for id, secret := range told.Keys {
		keys[id], _ = hex.DecodeString(secret)
	}
	verify = agen.New(keys, told.Resource)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() { panic(http.Serve(listener, http.HandlerFunc(answer))) }()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		prepare(lines.Bytes())
		fmt.Println("ready")
	}
}

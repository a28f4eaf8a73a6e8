// Reads bodies from standard input and answers how encoding/json reads them, once into a map and once into
// structs, whose tags match keys of any case.
//
// In: four bytes of length (big endian) and a body. Out: four bytes of length and one line of fields, with a
// tab between them: eight of the map, eight of the structs. A reading that fails is a lone `!`.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"strings"
)

// A field that is `any` takes every type: only an object in place of another type can then fail.
type message struct {
	ID     any    `json:"id"`
	Method any    `json:"method"`
	Params params `json:"params"`
}

type params struct {
	Name      any            `json:"name"`
	URI       any            `json:"uri"`
	Arguments map[string]any `json:"arguments"`
	Ref       struct {
		Name any `json:"name"`
		URI  any `json:"uri"`
	} `json:"ref"`
	Notifications struct {
		ResourceSubscriptions any `json:"resourceSubscriptions"`
	} `json:"notifications"`
}

func normal(value any) string {
	switch v := value.(type) {
	case nil:
		return "n"
	case bool:
		if v {
			return "t"
		}
		return "f"
	case float64:
		if v == 0 {
			return "d0000000000000000" // a negative zero is equal to zero
		}
		return fmt.Sprintf("d%016x", math.Float64bits(v))
	case string:
		return "s" + hex.EncodeToString([]byte(v))
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = normal(item)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for key, item := range v {
			parts = append(parts, hex.EncodeToString([]byte(key))+":"+normal(item))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ",") + "}"
	}
	panic(fmt.Sprintf("no normal form of %T", value))
}

func line(values ...any) string {
	parts := make([]string, len(values))
	for i, value := range values {
		parts[i] = normal(value)
	}
	return strings.Join(parts, "\t")
}

func members(value any) map[string]any {
	found, _ := value.(map[string]any)
	return found
}

func readMap(body []byte) string {
	var document any
	if json.Unmarshal(body, &document) != nil {
		return "!"
	}
	top := members(document)
	inner := members(top["params"])
	ref, wanted := members(inner["ref"]), members(inner["notifications"])
	return line(top["method"], top["id"], inner["name"], inner["uri"], ref["name"], ref["uri"],
		wanted["resourceSubscriptions"], inner["arguments"])
}

func readStructs(body []byte) string {
	var m message
	err := json.Unmarshal(body, &m)
	var wrongType *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &wrongType) {
		return "!"
	}
	// A backend that ignores errors goes on with what was filled in.
	var arguments any
	if m.Params.Arguments != nil {
		arguments = m.Params.Arguments
	}
	p := m.Params
	return line(m.Method, m.ID, p.Name, p.URI, p.Ref.Name, p.Ref.URI, p.Notifications.ResourceSubscriptions, arguments)
}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		var length uint32
		if binary.Read(in, binary.BigEndian, &length) != nil {
			return
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		answer := readMap(body) + "\t" + readStructs(body)
		_ = binary.Write(out, binary.BigEndian, uint32(len(answer)))
		_, _ = out.WriteString(answer)
		_ = out.Flush()
	}
}

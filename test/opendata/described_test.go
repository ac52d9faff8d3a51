package opendata

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/test/plaza"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

// described is one operation of /openapi.json.
type described struct {
	Get struct {
		Parameters []struct {
			Name, In string
			Required bool
			Example  any
			Schema   struct {
				Type    string
				Enum    []string
				Minimum *float64
				Maximum *float64
				Items   *struct{ Enum []string }
			}
		}
	}
}

// TestServerKeepsItsDescription asks every address with every example, every value of every
// closed list and what is not taken, and holds questions and answers, errors as well,
// against /openapi.json with a validator that is not ours.
func TestServerKeepsItsDescription(t *testing.T) {
	t.Parallel()
	q := plaza.New(t)
	gates(q)
	_, raw := ask(q, "GET", "/openapi.json", nil)
	doc, err := libopenapi.NewDocument(raw)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, wrong := v.ValidateDocument(); !ok {
		t.Fatalf("the document is none: %v", wrong)
	}
	var api struct{ Paths map[string]described }
	if err := json.Unmarshal(raw, &api); err != nil {
		t.Fatal(err)
	}
	kept := &keeper{t, q, v, 0}
	for path, op := range api.Paths {
		if path == "/api/v1/live" {
			kept.refused(path+"?colour=x9", true) // what it answers never ends
			continue
		}
		id, all, alone := "", url.Values{}, url.Values{}
		var lists []string
		for _, p := range op.Get.Parameters {
			if p.Example == nil && p.Name != "category" {
				t.Errorf("%s of %s has no example", p.Name, path)
			}
			values := texts(p.Example)
			if p.In == "path" {
				id = values[0]
				continue
			}
			all[p.Name] = values
			if p.Required {
				alone[p.Name] = values
			}
			closed := p.Schema.Enum
			if p.Schema.Items != nil {
				closed = p.Schema.Items.Enum
			}
			for _, x := range closed {
				lists = append(lists, with(alone, p.Name, x))
			}
			if p.Schema.Minimum != nil {
				lists = append(lists, with(alone, p.Name, fmt.Sprint(*p.Schema.Minimum)),
					with(alone, p.Name, fmt.Sprint(*p.Schema.Maximum)))
				kept.refused(strings.Replace(path, "{id}", id, 1)+"?"+
					with(alone, p.Name, fmt.Sprint(*p.Schema.Maximum+1)), false)
			}
		}
		at := strings.Replace(path, "{id}", url.PathEscape(id), 1) + "?"
		kept.answered(at + alone.Encode())
		kept.answered(at + all.Encode())
		for name, values := range all {
			one := maps.Clone(alone)
			one[name] = values
			if strings.HasSuffix(path, "/zones") && (name == "measure" || name == "category") {
				one["stream"] = all["stream"] // it is said that they need it
			}
			kept.answered(at + one.Encode())
		}
		for _, x := range lists {
			kept.answered(at + x)
		}
		kept.refused(at+with(alone, "colour", "x9"), true)
		if id != "" {
			kept.refused(strings.Replace(path, "{id}", "x9", 1)+"?"+alone.Encode(), true)
		}
	}
	if kept.asked < 90 {
		t.Errorf("only %d questions were asked", kept.asked)
	}
}

// with is a query with one more parameter.
func with(v url.Values, name, value string) string {
	v = maps.Clone(v)
	v.Set(name, value)
	return v.Encode()
}

// texts are the values of a parameter's example.
func texts(example any) (out []string) {
	switch x := example.(type) {
	case nil:
		return nil
	case []any:
		for _, y := range x {
			out = append(out, fmt.Sprint(y))
		}
		return out
	}
	return []string{fmt.Sprint(example)}
}

// keeper asks and holds what it is answered against the description.
type keeper struct {
	t     *testing.T
	q     *plaza.Plaza
	v     validator.Validator
	asked int
}

func (k *keeper) answered(path string) {
	k.t.Helper()
	status, etag := k.hold(path, true, nil)
	if status != http.StatusOK {
		k.t.Errorf("%s: %d", path, status)
		return
	}
	if status, _ = k.hold(path, true, http.Header{"If-None-Match": {etag}}); status != http.StatusNotModified {
		k.t.Errorf("%s again: %d", path, status)
	}
}

// refused asks what is not taken; known says whether its parameters are within the
// description all the same, which does not say that others are refused.
func (k *keeper) refused(path string, known bool) {
	k.t.Helper()
	if status, _ := k.hold(path, known, nil); status != http.StatusBadRequest && status != http.StatusNotFound {
		k.t.Errorf("%s: %d", path, status)
	}
}

// hold returns the status and the ETag.
func (k *keeper) hold(path string, known bool, header http.Header) (int, string) {
	k.t.Helper()
	k.asked++
	req, err := http.NewRequestWithContext(k.t.Context(), http.MethodGet, k.q.Base+path, nil)
	if err != nil {
		k.t.Fatal(err)
	}
	if ok, wrong := k.v.ValidateHttpRequest(req); ok != known {
		k.t.Errorf("the question %s is described: %t; want %t; %s", path, ok, known, said(wrong))
	}
	resp, body := ask(k.q, http.MethodGet, path, header)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if ok, wrong := k.v.ValidateHttpResponse(req, resp); !ok {
		k.t.Errorf("the answer to %s is not as described: %s", path, said(wrong))
	}
	return resp.StatusCode, resp.Header.Get("Etag")
}

func said[E interface{ Error() string }](list []E) (out string) {
	for _, e := range list {
		out += e.Error() + "; "
	}
	return out
}

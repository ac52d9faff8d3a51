// Command sta serves SensorThings over a store in memory that can be written: for conformance
// suites such as OGC's TEAM engine (ets-sta10), which test what they have made. It answers what
// the open-data server answers, by the same engine; nothing is kept, and nobody logs in.
//
//	go run ./test/sta --http 127.0.0.1:8090
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"sluice/opendata/sensorthings/engine"
	"sluice/opendata/sensorthings/odata"
	"sluice/test/sta/memory"
)

func main() {
	address := flag.String("http", "127.0.0.1:8090", "address; the port may be 0")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	base := "http://" + listener.Addr().String() + "/v1.1"
	fmt.Println(base)
	server := &http.Server{Handler: newHandler(base), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

// handler serves one store.
type handler struct {
	service *engine.Service
	store   *memory.Store
}

func newHandler(base string) http.Handler {
	store := memory.New(time.Now())
	req := "http://www.opengis.net/spec/iot_sensing/1.1/req/"
	return &handler{store: store, service: &engine.Service{Store: store, Base: base, Conformance: []string{
		req + "datamodel", req + "resource-path/resource-path-to-entities", req + "request-data",
		req + "create-update-delete/create-entity", req + "create-update-delete/link-to-existing-entities",
		req + "create-update-delete/deep-insert", req + "create-update-delete/deep-insert-status-code",
		req + "create-update-delete/update-entity", req + "create-update-delete/update-entity-put",
		req + "create-update-delete/delete-entity", req + "create-update-delete/historical-location-auto-creation",
		req + "data-array/data-array",
	}}}
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/v1.1")
	if !ok {
		http.NotFound(w, r)
		return
	}
	path = strings.Trim(path, "/")
	var err error
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		err = h.get(w, r, path)
	case http.MethodPost:
		if path == "CreateObservations" {
			err = h.createMany(w, r)
			break
		}
		err = h.create(w, r, path)
	case http.MethodPatch, http.MethodPut:
		err = h.update(r, path)
	case http.MethodDelete:
		var e *engine.Entity
		if e, err = h.entity(r, path); err == nil {
			err = h.store.Delete(e)
		}
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
	if err != nil {
		status, detail := engine.Problem(err)
		if status == 0 {
			status, detail = http.StatusBadRequest, err.Error()
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"code": status, "type": "error", "message": detail})
	}
}

func (h *handler) get(w http.ResponseWriter, r *http.Request, path string) error {
	out, err := h.service.Get(r.Context(), path, r.URL.RawQuery)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", out.Type)
	_, err = w.Write(out.Body)
	return err
}

// entity is what a path with an id leads to.
func (h *handler) entity(r *http.Request, path string) (*engine.Entity, error) {
	segments, err := odata.ParsePath(path)
	if err != nil || len(segments) == 0 || !segments[len(segments)-1].Keyed {
		return nil, engine.ErrNone
	}
	last := segments[len(segments)-1]
	t := engine.TypeOfSet(last.Name)
	if t == nil {
		return nil, engine.ErrNone
	}
	return h.store.One(r.Context(), t, last.Key)
}

func body(r *http.Request, into any) error {
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 4<<20))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return errors.New("the body is no JSON of that form")
	}
	return nil
}

func (h *handler) create(w http.ResponseWriter, r *http.Request, path string) error {
	set, outer := path, ""
	if n := strings.LastIndex(path, ")/"); n >= 0 {
		outer, set = path[:n+1], path[n+2:]
	}
	var from *engine.Entity
	t := engine.TypeOfSet(set)
	if outer != "" {
		var err error
		if from, err = h.entity(r, outer); err != nil {
			return err
		}
		l := from.Type.Link(set)
		if l == nil || !l.Many {
			return engine.ErrNone
		}
		t = engine.TypeOf(l.To)
	}
	if t == nil {
		return engine.ErrNone
	}
	var o memory.Object
	if err := body(r, &o); err != nil {
		return err
	}
	e, err := h.store.Create(t, o, from, set)
	if errors.Is(err, engine.ErrNone) {
		err = errors.New("what it names is not there")
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", h.service.SelfLink(e.Type, e.ID))
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (h *handler) update(r *http.Request, path string) error {
	e, err := h.entity(r, path)
	if err != nil {
		return err
	}
	var o memory.Object
	if err := body(r, &o); err != nil {
		return err
	}
	err = h.store.Update(e, o, r.Method == http.MethodPut)
	if errors.Is(err, engine.ErrNone) {
		err = errors.New("what it names is not there")
	}
	return err
}

// createMany takes a data array (18-088, section 12.2): for each Observation its address, or
// error.
func (h *handler) createMany(w http.ResponseWriter, r *http.Request) error {
	var groups []struct {
		Datastream memory.Object
		Components []string
		DataArray  [][]any
	}
	if err := body(r, &groups); err != nil {
		return err
	}
	out := []string{}
	for _, g := range groups {
		for _, row := range g.DataArray {
			o := memory.Object{"Datastream": g.Datastream}
			for n, name := range g.Components {
				if n >= len(row) {
					continue
				}
				if name == "FeatureOfInterest/id" {
					o["FeatureOfInterest"] = memory.Object{"@iot.id": row[n]}
					continue
				}
				o[name] = row[n]
			}
			e, err := h.store.Create(engine.TypeOf("Observation"), o, nil, "")
			if err != nil {
				out = append(out, "error")
				continue
			}
			out = append(out, h.service.SelfLink(e.Type, e.ID))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	return json.NewEncoder(w).Encode(out)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sluice/verify"
)

// maxAnswer bounds one answer of an open-data server.
const maxAnswer = 64 << 20

// httpAPI is an open-data server. It implements verify.API.
type httpAPI struct {
	root   string
	client *http.Client
}

func newHTTPAPI(base string) *httpAPI {
	return &httpAPI{
		root: strings.TrimSuffix(booksBase(base), "/books"),
		// No proxy: the environment is not read.
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{IdleConnTimeout: time.Minute}},
	}
}

// Streams implements verify.API.
func (s *httpAPI) Streams(ctx context.Context) ([]string, error) {
	var answer struct {
		Streams []struct {
			ID string `json:"id"`
		} `json:"streams"`
	}
	if _, err := s.get(ctx, s.root+"/api/v1/streams", &answer); err != nil {
		return nil, err
	}
	ids := make([]string, len(answer.Streams))
	for i, x := range answer.Streams {
		ids[i] = x.ID
	}
	return ids, nil
}

// Walk implements verify.API.
func (s *httpAPI) Walk(ctx context.Context, stream string, page func([]verify.Observation) error) error {
	// The first and the last instant that the API accepts.
	v := url.Values{"from": {"1970-01-01T00:00:00Z"}, "to": {"2200-12-31T00:00:00Z"}, "limit": {"1000"}}
	last := time.Time{}
	next := s.root + "/api/v1/streams/" + url.PathEscape(stream) + "/observations?" + v.Encode()
	for next != "" {
		var answer struct {
			Items  []verify.Observation `json:"items"`
			Next   *string              `json:"next"`
			Epochs []struct {
				Units   verify.Observation `json:"units"`
				Bounded verify.Observation `json:"bounded"`
			} `json:"epochs"`
		}
		found, err := s.get(ctx, next, &answer)
		if err != nil || !found {
			return err // a stream that is no longer served has no rows
		}
		// The numbers of an epoch belong to its last window; they come with the page on which
		// that window begins.
		var rows []verify.Observation
		for _, o := range answer.Items {
			if !o.Start.Equal(last) {
				for _, e := range answer.Epochs {
					if e.Units.Start.Equal(o.Start) {
						rows = append(rows, e.Units, e.Bounded)
					}
				}
			}
			rows, last = append(rows, o), o.Start
		}
		if err := page(rows); err != nil {
			return err
		}
		if next = ""; answer.Next != nil {
			next = s.origin() + *answer.Next
		}
	}
	return nil
}

// File implements verify.Files.
func (s *httpAPI) File(ctx context.Context, path string) (io.ReadCloser, error) {
	u, err := url.Parse(s.root + "/archive/")
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.JoinPath(path).String(), nil)
	if err != nil {
		return nil, err
	}
	client := *s.client
	client.Timeout = time.Hour // a year is long
	resp, err := client.Do(req)
	if err != nil {
		return nil, errors.New("the open-data server does not answer; check the URL")
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return resp.Body, nil
	case http.StatusNotFound:
		err = fs.ErrNotExist
	default:
		err = fmt.Errorf("the open-data server answers %d", resp.StatusCode)
	}
	return nil, errors.Join(err, resp.Body.Close())
}

// origin is the server without a path: paths that it gives begin there.
func (s *httpAPI) origin() string {
	u, err := url.Parse(s.root)
	if err != nil {
		return s.root
	}
	return u.Scheme + "://" + u.Host
}

// get reads one answer; found is false for 404.
func (s *httpAPI) get(ctx context.Context, address string, into any) (found bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return false, errors.New("the open-data server does not answer; check the URL")
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotFound:
		return false, nil
	case http.StatusOK:
	default:
		return false, fmt.Errorf("the open-data server answers %d", resp.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(into); err != nil {
		return false, fmt.Errorf("the open-data server's answer cannot be read: %w", err)
	}
	return true, nil
}

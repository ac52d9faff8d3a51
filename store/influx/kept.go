package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxAnswer bounds what is read of an answer about retention.
const maxAnswer = 1 << 20

// Kept is for how long the bucket keeps points, 0 for ever. Of InfluxDB 1.8 that is the
// duration of the retention policy that the bucket names.
func (s *Store) Kept(ctx context.Context) (time.Duration, error) {
	if database, policy, old := strings.Cut(s.bucket, "/"); old {
		if kept, err := s.keptByPolicy(ctx, database, policy); err == nil {
			return kept, nil
		}
	}
	bucket, err := s.client.BucketsAPI().FindBucketByName(ctx, s.bucket)
	if err != nil {
		return 0, explain(err)
	}
	for _, rule := range bucket.RetentionRules {
		return time.Duration(rule.EverySeconds) * time.Second, nil
	}
	return 0, nil
}

var errPolicy = errors.New("influx says nothing of the bucket's retention; check bucket")

// keptByPolicy asks InfluxDB 1.8. Check has seen that no name can end the quotes.
func (s *Store) keptByPolicy(ctx context.Context, database, policy string) (time.Duration, error) {
	ask := url.Values{"q": {fmt.Sprintf(`SHOW RETENTION POLICIES ON "%s"`, database)}}
	address := strings.TrimSuffix(s.url, "/") + "/query?" + ask.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	if user, password, named := strings.Cut(s.token, ":"); named {
		req.SetBasicAuth(user, password)
	}
	resp, err := s.client.Options().HTTPClient().Do(req)
	if err != nil {
		return 0, errPolicy
	}
	defer resp.Body.Close()
	var answer struct {
		Results []struct {
			Series []struct {
				Columns []string
				Values  [][]any
			}
		}
	}
	if json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer) != nil || len(answer.Results) != 1 ||
		len(answer.Results[0].Series) != 1 {
		return 0, errPolicy
	}
	for _, row := range answer.Results[0].Series[0].Values {
		if len(row) < 2 || row[0] != policy {
			continue
		}
		text, _ := row[1].(string)
		return time.ParseDuration(text)
	}
	return 0, errPolicy
}

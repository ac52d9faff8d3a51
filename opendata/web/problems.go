package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"sluice/opendata/httpcache"
	"sluice/opendata/i18n"
	"sluice/opendata/query"
)

// trouble is a type of problem document: what it means, and how to mend it.
type trouble struct {
	Type  string `json:"type"`
	Means string `json:"means"`
	Mend  string `json:"mend"`
}

// troubles are all types that this server answers with; a test finds those that are not
// here.
func troubles(say func(string, ...any) string) []trouble {
	return []trouble{
		{
			"body", say("A request that only reads has no body. Its connection was closed, since what stands " +
				"between may have seen another end of the request."),
			say("Leave out the body, Content-Length and Transfer-Encoding."),
		},
		{
			"busy", say("Too many long files are on their way, and this one found no place."),
			say("Wait as long as Retry-After says, or ask for less: a shorter span with from and to, some places, " +
				"or pages with limit."),
		},
		{
			"method", say("This interface is for reading: only GET and HEAD are answered."),
			say("Ask with GET. There is nothing here that could be changed from outside."),
		},
		{
			"parameter", say("A parameter of the request is unknown, there twice, or has a value that cannot be " +
				"used. The detail names it and says what it should be; it never repeats what was sent."),
			say("Look the parameter up under For developers, and write it as its example is. A plus sign in an " +
				"address is %%2B, a semicolon %%3B."),
		},
		{
			"rate",
			say("This client asked too often. Retry-After says how many seconds to wait; RateLimit says what is left."),
			say("Wait, and then ask for whole files rather than for many small parts; send If-None-Match where you " +
				"ask again."),
		},
		{
			"unavailable",
			say("The store or the public books cannot be read just now. Nothing is lost; try again in a minute."),
			say("If it lasts, tell whoever runs this server: its log says what cannot be read, and what to do."),
		},
		{
			"unknown", say("There is nothing under this address. All addresses are in the API's description."),
			say("Look at the list of streams for what there is: ids are written as they stand there, with small " +
				"letters."),
		},
		{
			"unsupported", say("This is an option of OData that SensorThings does not have."),
			say("Leave it out. The detail names the options that there are."),
		},
		{
			"websocket", say("This address is for MQTT over WebSocket, and the request did not begin one. The detail " +
				"says what was missing."),
			say("Connect with a program that speaks MQTT over WebSocket (the subprotocol mqtt). Without one, " +
				"/api/v1/live has the same."),
		},
	}
}

// listProblems is the list of all types.
func (w *Web) listProblems(r *http.Request) (*httpcache.Reply, error) {
	v := ask(r)
	all := troubles(w.speak[v.lang].Say)
	below := "" // links of a page are put there later
	if wantsJSON(r) {
		below = httpcache.At(r.Context(), "")
	}
	for i := range all {
		all[i].Type = below + "/problems/" + all[i].Type
	}
	if wantsJSON(r) {
		return troubleJSON(v, map[string]any{"problems": all, "items": all, "next": nil})
	}
	return w.render(r, v, "problems", all)
}

// oneProblem is one of them.
func (w *Web) oneProblem(r *http.Request) (*httpcache.Reply, error) {
	v := ask(r)
	all := troubles(w.speak[v.lang].Say)
	at := slices.IndexFunc(all, func(x trouble) bool { return x.Type == r.PathValue("code") })
	if at < 0 {
		return nil, query.ErrUnknown
	}
	one := all[at]
	one.Type = "/problems/" + one.Type
	if wantsJSON(r) {
		one.Type = httpcache.At(r.Context(), one.Type)
		return troubleJSON(v, one)
	}
	return w.render(r, v, "problem", one)
}

// wantsJSON reports whether a program asks, and no browser.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}

func troubleJSON(v locale, x any) (*httpcache.Reply, error) {
	raw, err := json.Marshal(x)
	return &httpcache.Reply{Type: "application/json", Body: append(raw, '\n'), Lang: v.lang}, err
}

// toStreams leads from the list of streams that one would expect to the page that has it.
func toStreams(w http.ResponseWriter, r *http.Request) {
	to := httpcache.At(r.Context(), "/")
	if lang := r.URL.Query().Get("lang"); i18n.Known(lang) {
		to += "?lang=" + lang
	}
	http.Redirect(w, r, to+"#streams", http.StatusFound)
}

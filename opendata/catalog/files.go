package catalog

import (
	"net/url"
	"strconv"

	"sluice/books"
	"sluice/opendata/archive"
	"sluice/opendata/query"
)

// distribution is a stream's numbers in one form, under one address.
func (c *Catalog) distribution(st query.Stream, format, file, mime string) node {
	address := c.base + "/api/v1/streams/" + url.PathEscape(st.ID) + "/observations?format=" + format
	return c.under(st, address, file, node{
		"dct:format": id(authority + "file-type/" + file), "dcat:mediaType": id(media + mime),
		"dcat:accessService": id(c.base + "/openapi.json#service"),
	})
}

// sensorThings is the service that maps ask (OGC SensorThings API 1.1, 18-088).
func (c *Catalog) sensorThings(datasets []node) node {
	return node{
		"@id": c.base + "/v1.1#service", "@type": "dcat:DataService",
		"dct:title": "OGC SensorThings API 1.1", "dcat:endpointURL": id(c.base + "/v1.1"),
		"dcat:endpointDescription": id("https://docs.ogc.org/is/18-088/18-088.html"),
		"dct:conformsTo":           id(sensorThingsSpec), "dcat:servesDataset": references(datasets),
		"dct:accessRights": id(authority + "access-right/PUBLIC"),
	}
}

const sensorThingsSpec = "http://www.opengis.net/doc/is/sensorthings/1.1"

// things is a stream in that service.
func (c *Catalog) things(st query.Stream) node {
	address := c.base + "/v1.1/Datastreams?$filter=properties/stream%20eq%20%27" + url.PathEscape(st.ID) + "%27"
	return c.under(st, address, "SensorThings", node{
		"dct:format": id(authority + "file-type/JSON"), "dcat:mediaType": id(media + "application/json"),
		"dct:conformsTo": id(sensorThingsSpec), "dcat:accessService": id(c.base + "/v1.1#service"),
	})
}

// byStream are the archive's files of each stream.
type byStream map[string][]archive.File

// offered are the files that the archive offers now; a year's are of no one stream.
func (c *Catalog) offered() (byStream, error) {
	if c.files == nil {
		return nil, nil //nolint:nilnil // there is no archive
	}
	m, err := c.files.Manifest()
	out := make(byStream)
	for i := range m.Files {
		if f := &m.Files[i]; f.Stream != "" {
			out[f.Stream] = append(out[f.Stream], *f)
		}
	}
	return out, err
}

// whole are a stream's months as files. Of one that is closed the size and the SHA-256 are said:
// it does not change.
func (c *Catalog) whole(st query.Stream, files []archive.File) (out []node) {
	for i := range files {
		f := &files[i]
		address := c.base + "/archive/" + f.Path
		n := node{"dcat:downloadURL": id(address)}
		switch f.Format {
		case archive.CSV:
			n["dct:format"], n["dcat:mediaType"] = id(authority+"file-type/CSV"), id(media+"text/csv")
			n["dcat:compressFormat"] = id(media + "application/gzip")
		case archive.Parquet:
			n["dct:format"] = id(authority + "file-type/PARQUET")
			n["dcat:mediaType"] = id(media + "application/vnd.apache.parquet")
		default:
			continue
		}
		if f.Closed {
			n["dcat:byteSize"] = typed(strconv.FormatInt(f.Bytes, 10), "xsd:nonNegativeInteger")
			n["spdx:checksum"] = node{"@type": "spdx:Checksum",
				"spdx:algorithm":     id("http://spdx.org/rdf/terms#checksumAlgorithm_sha256"),
				"spdx:checksumValue": typed(f.SHA256, "xsd:hexBinary")}
		}
		out = append(out, c.under(st, address, f.Path, n))
	}
	return out
}

// under adds to a distribution what all have.
func (c *Catalog) under(st query.Stream, address, title string, d node) node {
	d["@id"], d["@type"], d["dct:title"] = address, "dcat:Distribution", title
	d["dcat:accessURL"], d["dcatap:availability"] = id(address), id(authority+"planned-availability/STABLE")
	if l := licence(st.Licence); l != "" {
		d["dct:license"] = id(l)
	}
	if st.Standing.State == books.Past {
		d["adms:status"] = id(authority + "distribution-status/COMPLETED")
	}
	return d
}

// licence is the address of a licence's text, by its SPDX name; empty for others.
func licence(spdx string) string {
	switch spdx {
	case "CC0-1.0":
		return "https://creativecommons.org/publicdomain/zero/1.0/"
	case "CC-BY-4.0":
		return "https://creativecommons.org/licenses/by/4.0/"
	case "CC-BY-SA-4.0":
		return "https://creativecommons.org/licenses/by-sa/4.0/"
	case "ODbL-1.0":
		return "https://opendatacommons.org/licenses/odbl/1-0/"
	}
	return ""
}

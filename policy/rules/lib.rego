# Words that the other rules share.
package sluice.lib

# A decision is about units of privacy unless it says `none`.
about_units(d) if d.stands_for != "none"

# Fields that a decision reads, apart from its unit and its coordinates.
used(d) := ({c.field | some c in d.where} | {g.field | some g in d.generalise}) | ({b.Field | some b in d.publish.by; b.Field != ""} | {f | some m in d.stream_spec.measures; f := m.field})

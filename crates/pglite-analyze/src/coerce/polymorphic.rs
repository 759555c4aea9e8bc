//! Polymorphic argument and result types: the "any" family must agree exactly, the "anycompatible" family must have a
//! common type.

use super::{is_family1, is_family2, is_polymorphic};
use crate::prelude::*;

/// What the actual arguments say about the polymorphic ones.
#[derive(Default)]
struct Seen {
    elem: Oid,
    array: Oid,
    range: Oid,
    multirange: Oid,
    compat: Vec<Oid>,
    compat_range: Oid,
    compat_range_elem: Oid,
    compat_multirange: Oid,
    compat_multirange_elem: Oid,
    unknowns: bool,
    compat_unknowns: bool,
    nonarray: bool,
    is_enum: bool,
    compat_array: bool,
    compat_nonarray: bool,
}

impl Cat<'_> {
    /// PostgreSQL's `check_generic_type_consistency`.
    pub(crate) fn generic_types_consistent(self, actual: &[Oid], declared: &[Oid]) -> bool {
        self.resolve_polymorphic(actual, declared, None, true).is_ok()
    }

    /// PostgreSQL's `enforce_generic_type_consistency`: replaces polymorphic declared types by actual ones and returns
    /// the actual result type.
    pub(crate) fn enforce_generic_types(
        self,
        actual: &[Oid],
        declared: &mut [Oid],
        ret: Oid,
        allow_poly: bool,
    ) -> PgResult<Oid> {
        if !is_polymorphic(ret) && !declared.iter().any(|t| is_polymorphic(*t)) {
            return Ok(ret);
        }
        let original = declared.to_vec();
        let (types, ret) = self.resolve_polymorphic(actual, &original, Some((ret, allow_poly)), false)?;
        declared.copy_from_slice(&types);
        Ok(ret)
    }

    fn resolve_polymorphic(
        self,
        actual: &[Oid],
        declared: &[Oid],
        ret: Option<(Oid, bool)>,
        check_only: bool,
    ) -> PgResult<(Vec<Oid>, Oid)> {
        let mut seen = Seen::default();
        for (&decl, &act) in declared.iter().zip(actual) {
            self.note(&mut seen, decl, act)?;
        }
        let allow_poly = ret.is_some_and(|(_, a)| a);
        let any1 = declared.iter().any(|t| is_family1(*t)) || ret.is_some_and(|(r, _)| is_family1(r));
        if any1 {
            self.settle_family1(&mut seen, declared, allow_poly, check_only)?;
        }
        let any2 = declared.iter().any(|t| is_family2(*t)) || ret.is_some_and(|(r, _)| is_family2(r));
        let compat = if any2 { self.settle_family2(&mut seen)? } else { Oid::INVALID };
        if check_only {
            return Ok((Vec::new(), Oid::INVALID));
        }
        let mut out = declared.to_vec();
        for (d, &a) in out.iter_mut().zip(actual) {
            *d = self.substitute(&mut seen, *d, a, compat)?;
        }
        let (ret, _) = ret.unwrap_or((Oid::INVALID, false));
        let ret = self.result_type(&mut seen, ret, compat, allow_poly)?;
        Ok((out, ret))
    }

    fn clash(self, what: &str, a: Oid, b: Oid) -> PgError {
        err!(DATATYPE_MISMATCH, "arguments declared \"{what}\" are not all alike").detail(format!(
            "{} versus {}",
            self.format_type(a),
            self.format_type(b)
        ))
    }

    /// One argument's contribution.
    fn note(self, s: &mut Seen, decl: Oid, act: Oid) -> PgResult<()> {
        let same = |slot: &mut Oid, value: Oid, what: &str| {
            if slot.is_valid() && *slot != value {
                return Err(self.clash(what, *slot, value));
            }
            *slot = value;
            Ok(())
        };
        match decl {
            oid::ANYELEMENT | oid::ANYNONARRAY | oid::ANYENUM => {
                s.nonarray |= decl == oid::ANYNONARRAY;
                s.is_enum |= decl == oid::ANYENUM;
                if act == oid::UNKNOWN {
                    s.unknowns = true;
                    return Ok(());
                }
                same(&mut s.elem, act, "anyelement")
            }
            oid::ANYARRAY if act == oid::UNKNOWN => {
                s.unknowns = true;
                Ok(())
            }
            oid::ANYARRAY => same(&mut s.array, self.base_type(act), "anyarray"),
            oid::ANYRANGE if act == oid::UNKNOWN => {
                s.unknowns = true;
                Ok(())
            }
            oid::ANYRANGE => same(&mut s.range, self.base_type(act), "anyrange"),
            oid::ANYMULTIRANGE if act == oid::UNKNOWN => {
                s.unknowns = true;
                Ok(())
            }
            oid::ANYMULTIRANGE => same(&mut s.multirange, self.base_type(act), "anymultirange"),
            oid::ANYCOMPATIBLE | oid::ANYCOMPATIBLENONARRAY => {
                s.compat_nonarray |= decl == oid::ANYCOMPATIBLENONARRAY;
                if act == oid::UNKNOWN {
                    s.compat_unknowns = true;
                } else {
                    s.compat.push(act);
                }
                Ok(())
            }
            oid::ANYCOMPATIBLEARRAY => {
                s.compat_array = true;
                if act == oid::UNKNOWN {
                    s.compat_unknowns = true;
                    return Ok(());
                }
                let base = self.base_type(act);
                let elem = self.element_type(base);
                if !elem.is_valid() {
                    return Err(self.not_a("anycompatiblearray", "an array", act));
                }
                s.compat.push(elem);
                Ok(())
            }
            oid::ANYCOMPATIBLERANGE => self.note_compat_range(s, act),
            oid::ANYCOMPATIBLEMULTIRANGE => self.note_compat_multirange(s, act),
            _ => Ok(()),
        }
    }

    fn not_a(self, what: &str, kind: &str, act: Oid) -> PgError {
        err!(DATATYPE_MISMATCH, "argument declared {what} is not {kind} but type {}", self.format_type(act))
    }

    fn note_compat_range(self, s: &mut Seen, act: Oid) -> PgResult<()> {
        if act == oid::UNKNOWN {
            s.compat_unknowns = true;
            return Ok(());
        }
        let base = self.base_type(act);
        if s.compat_range.is_valid() {
            if s.compat_range != base {
                return Err(self.clash("anycompatiblerange", s.compat_range, base));
            }
            return Ok(());
        }
        s.compat_range = base;
        s.compat_range_elem = self.range_subtype(base);
        if !s.compat_range_elem.is_valid() {
            return Err(self.not_a("anycompatiblerange", "a range type", act));
        }
        s.compat.push(s.compat_range_elem);
        Ok(())
    }

    fn note_compat_multirange(self, s: &mut Seen, act: Oid) -> PgResult<()> {
        if act == oid::UNKNOWN {
            s.compat_unknowns = true;
            return Ok(());
        }
        let base = self.base_type(act);
        if s.compat_multirange.is_valid() {
            if s.compat_multirange != base {
                return Err(self.clash("anycompatiblemultirange", s.compat_multirange, base));
            }
            return Ok(());
        }
        s.compat_multirange = base;
        let range = self.multirange_range(base);
        s.compat_multirange_elem = self.range_subtype(range);
        if !s.compat_multirange_elem.is_valid() {
            return Err(self.not_a("anycompatiblemultirange", "a multirange type", act));
        }
        s.compat.push(s.compat_multirange_elem);
        Ok(())
    }

    /// Derives what the family-1 arguments leave open, and checks that they agree.
    fn settle_family1(
        self,
        s: &mut Seen,
        declared: &[Oid],
        allow_poly: bool,
        check_only: bool,
    ) -> PgResult<()> {
        let disagree = |a: &str, b: &str, x: Oid, y: Oid| {
            err!(DATATYPE_MISMATCH, "argument declared {a} is not consistent with argument declared {b}")
                .detail(format!("{} versus {}", self.format_type(x), self.format_type(y)))
        };
        if s.array.is_valid() {
            let elem = if s.array == oid::ANYARRAY {
                if !allow_poly && !check_only {
                    let wants_elem =
                        declared.iter().any(|t| matches!(*t, oid::ANYELEMENT | oid::ANYNONARRAY));
                    if wants_elem {
                        bail!(DATATYPE_MISMATCH, "cannot determine element type of \"anyarray\" argument");
                    }
                }
                if s.elem.is_valid() { s.elem } else { oid::ANYELEMENT }
            } else {
                let e = self.element_type(s.array);
                if !e.is_valid() {
                    return Err(self.not_a("anyarray", "an array", s.array));
                }
                e
            };
            if !s.elem.is_valid() {
                s.elem = elem;
            } else if elem != s.elem {
                return Err(disagree("anyarray", "anyelement", s.array, s.elem));
            }
        }
        if s.multirange.is_valid() {
            let range = self.multirange_range(s.multirange);
            if !range.is_valid() {
                return Err(self.not_a("anymultirange", "a multirange type", s.multirange));
            }
            if !s.range.is_valid() {
                s.range = range;
            } else if s.range != range {
                return Err(disagree("anymultirange", "anyrange", s.multirange, s.range));
            }
        } else if s.range.is_valid() {
            s.multirange = self.range_multirange(s.range);
        }
        if s.range.is_valid() {
            let sub = self.range_subtype(s.range);
            if !sub.is_valid() {
                return Err(self.not_a("anyrange", "a range type", s.range));
            }
            if !s.elem.is_valid() {
                s.elem = sub;
            } else if sub != s.elem {
                return Err(disagree("anyrange", "anyelement", s.range, s.elem));
            }
        }
        if !s.elem.is_valid() {
            if check_only || s.unknowns && allow_poly {
                return Ok(());
            }
            if allow_poly {
                s.elem = oid::ANYELEMENT;
                s.array = oid::ANYARRAY;
                s.range = oid::ANYRANGE;
                s.multirange = oid::ANYMULTIRANGE;
            } else if declared.iter().any(|t| is_family1(*t)) {
                bail!(
                    DATATYPE_MISMATCH,
                    "could not determine polymorphic type because input has type unknown"
                );
            }
        }
        if s.nonarray && s.elem != oid::ANYELEMENT && self.base_element_type(s.elem).is_valid() {
            let name = self.format_type(s.elem);
            bail!(DATATYPE_MISMATCH, "type matched to anynonarray is an array type: {name}");
        }
        if s.is_enum && s.elem != oid::ANYELEMENT && self.typtype(s.elem) != b'e' {
            let name = self.format_type(s.elem);
            bail!(DATATYPE_MISMATCH, "type matched to anyenum is not an enum type: {name}");
        }
        Ok(())
    }

    /// The common type of the family-2 arguments.
    fn settle_family2(self, s: &mut Seen) -> PgResult<Oid> {
        if s.compat_multirange.is_valid() {
            let range = self.multirange_range(s.compat_multirange);
            if s.compat_range.is_valid() && s.compat_range != range {
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "argument declared anycompatiblemultirange is not consistent with argument declared anycompatiblerange"
                )
                .detail(format!(
                    "{} versus {}",
                    self.format_type(s.compat_multirange),
                    self.format_type(s.compat_range)
                )));
            }
            s.compat_range = range;
            s.compat_range_elem = s.compat_multirange_elem;
        } else if s.compat_range.is_valid() {
            s.compat_multirange = self.range_multirange(s.compat_range);
            s.compat_multirange_elem = s.compat_range_elem;
        }
        if s.compat.is_empty() {
            return Ok(oid::TEXT);
        }
        let ty = self.common_type(&s.compat).map_err(|(a, b, _)| {
            err!(
                DATATYPE_MISMATCH,
                "argument types {} and {} cannot be matched",
                self.format_type(a),
                self.format_type(b)
            )
        })?;
        let ok = s.compat.iter().all(|t| self.can_coerce(*t, ty, CoercionContext::Implicit));
        if !ok {
            bail!(DATATYPE_MISMATCH, "arguments of anycompatible family cannot be cast to a common type");
        }
        if s.compat_range.is_valid() && s.compat_range_elem != ty {
            let (r, t) = (self.format_type(s.compat_range), self.format_type(ty));
            bail!(DATATYPE_MISMATCH, "anycompatiblerange type {r} does not match anycompatible type {t}");
        }
        if s.compat_nonarray && self.base_element_type(ty).is_valid() {
            let name = self.format_type(ty);
            bail!(DATATYPE_MISMATCH, "type matched to anycompatiblenonarray is an array type: {name}");
        }
        Ok(ty)
    }

    fn array_over(self, elem: Oid) -> PgResult<Oid> {
        let array = if elem == oid::ANYELEMENT { oid::ANYARRAY } else { self.array_type(elem) };
        if !array.is_valid() {
            let name = self.format_type(elem);
            bail!(UNDEFINED_OBJECT, "could not find array type for data type {name}");
        }
        Ok(array)
    }

    /// The actual type of an argument: only unknown ones need the declared type replaced, except arrays and the
    /// anycompatible family.
    fn substitute(self, s: &mut Seen, decl: Oid, act: Oid, compat: Oid) -> PgResult<Oid> {
        Ok(match decl {
            oid::ANYELEMENT | oid::ANYNONARRAY | oid::ANYENUM => s.elem,
            oid::ANYARRAY if act == oid::UNKNOWN => {
                if !s.array.is_valid() {
                    s.array = self.array_over(s.elem)?;
                }
                s.array
            }
            oid::ANYRANGE if act == oid::UNKNOWN => self.or_undetermined(s.range, "anyrange")?,
            oid::ANYMULTIRANGE if act == oid::UNKNOWN => {
                self.or_undetermined(s.multirange, "anymultirange")?
            }
            oid::ANYCOMPATIBLE | oid::ANYCOMPATIBLENONARRAY => compat,
            oid::ANYCOMPATIBLEARRAY => self.array_over(compat)?,
            oid::ANYCOMPATIBLERANGE => self.or_undetermined(s.compat_range, "anycompatiblerange")?,
            oid::ANYCOMPATIBLEMULTIRANGE => {
                self.or_undetermined(s.compat_multirange, "anycompatiblemultirange")?
            }
            other => other,
        })
    }

    fn or_undetermined(self, ty: Oid, what: &str) -> PgResult<Oid> {
        if !ty.is_valid() {
            bail!(
                DATATYPE_MISMATCH,
                "could not determine polymorphic type {what} because input has type unknown"
            );
        }
        Ok(ty)
    }

    fn result_type(self, s: &mut Seen, ret: Oid, compat: Oid, allow_poly: bool) -> PgResult<Oid> {
        Ok(match ret {
            oid::ANYELEMENT | oid::ANYNONARRAY | oid::ANYENUM => s.elem,
            oid::ANYARRAY => {
                if !s.array.is_valid() {
                    s.array = self.array_over(s.elem)?;
                }
                s.array
            }
            oid::ANYRANGE => self.or_undetermined(s.range, "anyrange")?,
            oid::ANYMULTIRANGE => self.or_undetermined(s.multirange, "anymultirange")?,
            oid::ANYCOMPATIBLE | oid::ANYCOMPATIBLENONARRAY => compat,
            oid::ANYCOMPATIBLEARRAY => self.array_over(compat)?,
            oid::ANYCOMPATIBLERANGE => {
                if allow_poly && !s.compat_range.is_valid() {
                    ret
                } else {
                    self.or_undetermined(s.compat_range, "anycompatiblerange")?
                }
            }
            oid::ANYCOMPATIBLEMULTIRANGE => {
                if allow_poly && !s.compat_multirange.is_valid() {
                    ret
                } else {
                    self.or_undetermined(s.compat_multirange, "anycompatiblemultirange")?
                }
            }
            other => other,
        })
    }
}

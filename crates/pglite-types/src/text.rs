//! Text input and output of every type, by type OID.

pub mod fmt;
pub mod money;
pub mod scalar;

use ecow::EcoString;
use pglite_error::{PgError, PgResult, bail};

use crate::io::TypeKind;
use crate::{
    Datum, Oid, TypeDesc, TypeEnv, array, bits, datetime, geo, jsonb, jsonpath, net, oid, range, record,
    tsearch, typmod as tm,
};

/// The type's input function: parses `s`, then applies `typmod` (-1 for none).
pub fn text_in(env: &dyn TypeEnv, type_oid: Oid, typmod: i32, s: &str) -> PgResult<Datum> {
    Ok(match type_oid {
        oid::INT4 => Datum::Int4(scalar::int4_in(s)?),
        oid::TEXT | oid::CSTRING | oid::UNKNOWN | oid::REFCURSOR | oid::PG_NODE_TREE | oid::ACLITEM => {
            Datum::text_of(s)
        }
        oid::INT8 => Datum::Int8(scalar::int8_in(s)?),
        oid::INT2 => Datum::Int2(scalar::int2_in(s)?),
        oid::BOOL => Datum::Bool(scalar::bool_in(s)?),
        oid::VARCHAR | oid::BPCHAR => tm::apply_text(type_oid, typmod, crate::datum::shared_text(s), false)?,
        oid::NUMERIC => Datum::Numeric(crate::numeric::apply_typmod(crate::numeric::parse(s)?, typmod)?),
        oid::FLOAT8 => Datum::Float8(scalar::float8_in(s)?),
        oid::FLOAT4 => Datum::Float4(scalar::float4_in(s)?),
        oid::NAME => Datum::Text(EcoString::from(scalar::clip_name(s))),
        oid::CHAR => Datum::Char(scalar::char_in(s)),
        oid::OID => Datum::Oid(Oid(scalar::uint4_in(s, "oid")?)),
        oid::XID => Datum::Oid(Oid(scalar::uint4_in(s, "xid")?)),
        oid::CID => Datum::Oid(Oid(scalar::uint4_in(s, "cid")?)),
        oid::XID8 => Datum::Int8(scalar::uint8_in(s, "xid8")? as i64),
        oid::BYTEA => Datum::Bytea(scalar::bytea_in(s)?),
        oid::UUID => Datum::Uuid(scalar::uuid_in(s)?),
        oid::PG_LSN => Datum::Lsn(scalar::lsn_in(s)?),
        oid::TID => Datum::Tid(scalar::tid_in(s)?),
        oid::MONEY => Datum::Int8(money::money_in(s)?),
        oid::DATE => Datum::Date(datetime::date_in(env, s)?),
        oid::TIME => Datum::Time(datetime::time_in(env, s, typmod)?),
        oid::TIMETZ => Datum::TimeTz(datetime::timetz_in(env, s, typmod)?),
        oid::TIMESTAMP => Datum::Timestamp(datetime::timestamp_in(env, s, typmod)?),
        oid::TIMESTAMPTZ => Datum::Timestamp(datetime::timestamptz_in(env, s, typmod)?),
        oid::INTERVAL => Datum::Interval(datetime::interval_in(s, env.settings().interval_style, typmod)?),
        oid::PG_SNAPSHOT | oid::TXID_SNAPSHOT => Datum::Text(scalar::snapshot_in(s)?.into()),
        _ => return family_in(env, type_oid, typmod, s),
    })
}

/// The input of a NULL element or field: only a domain has a say.
pub(crate) fn null_in(env: &dyn TypeEnv, type_oid: Oid) -> PgResult<Datum> {
    if type_oid >= Oid::FIRST_NORMAL && env.type_desc(type_oid)?.kind == TypeKind::Domain {
        env.check_domain(type_oid, &Datum::Null)?;
    }
    Ok(Datum::Null)
}

/// Types whose input is more than a scan of digits.
fn family_in(env: &dyn TypeEnv, type_oid: Oid, typmod: i32, s: &str) -> PgResult<Datum> {
    if is_reg(type_oid) {
        return env.reg_in(type_oid, s).map(Datum::Oid);
    }
    match type_oid {
        oid::JSON => {
            jsonb::validate(s)?;
            return Ok(Datum::Text(s.into()));
        }
        oid::JSONPATH => return jsonpath::jsonpath_in(s).map(|p| Datum::Text(p.into())),
        oid::JSONB => return jsonb::parse(s).map(|j| Datum::Jsonb(j.into())),
        oid::INT2VECTOR | oid::OIDVECTOR => {
            return array::vector_in(type_oid, s).map(|a| Datum::Array(a.into()));
        }
        oid::POINT | oid::LSEG | oid::PATH | oid::BOX | oid::POLYGON | oid::LINE | oid::CIRCLE => {
            return geo::geo_in(type_oid, s).map(|g| Datum::Geo(g.into()));
        }
        oid::BIT | oid::VARBIT => return bits::bits_in(type_oid, typmod, s).map(|b| Datum::Bits(b.into())),
        oid::INET | oid::CIDR => {
            return net::inet_in(s, type_oid == oid::CIDR).map(|i| Datum::Inet(i.into()));
        }
        oid::MACADDR => return net::macaddr_in(s).map(Datum::MacAddr),
        oid::MACADDR8 => return net::macaddr8_in(s).map(Datum::MacAddr8),
        oid::XML => {
            // PG: what a server built without libxml says.
            return Err(PgError::unsupported("unsupported XML feature")
                .detail("This functionality requires the server to be built with libxml support."));
        }
        oid::TSVECTOR => return tsearch::tsvector_in(s).map(|v| Datum::TsVector(v.into())),
        oid::TSQUERY => return tsearch::tsquery_in(s).map(|q| Datum::TsQuery(q.into())),
        _ => {}
    }
    let desc = env.type_desc(type_oid)?;
    match desc.kind {
        TypeKind::Base if desc.elem.is_valid() => {
            array::array_in(env, desc.elem, delim(env, desc.elem)?, typmod, s).map(|a| Datum::Array(a.into()))
        }
        TypeKind::Composite => record::record_in(env, &desc, s).map(|r| Datum::Record(r.into())),
        TypeKind::Range => {
            range::range_in(env, type_oid, desc.subtype, typmod, s).map(|r| Datum::Range(r.into()))
        }
        TypeKind::Multirange => {
            let sub = subtype(env, desc.subtype)?;
            range::multirange_in(env, type_oid, desc.subtype, sub, typmod, s)
                .map(|m| Datum::Multirange(m.into()))
        }
        TypeKind::Pseudo if type_oid == oid::RECORD => {
            record::record_in(env, &desc, s).map(|r| Datum::Record(r.into()))
        }
        TypeKind::Pseudo if type_oid == oid::VOID => Ok(Datum::Text(EcoString::new())),
        TypeKind::Enum => enum_in(&desc, s),
        TypeKind::Domain => {
            let tm = if desc.base_typmod >= 0 { desc.base_typmod } else { typmod };
            let value = text_in(env, desc.base, tm, s)?;
            env.check_domain(type_oid, &value)?;
            Ok(value)
        }
        TypeKind::Pseudo => Err(pseudo_in(&desc)),
        _ => Err(PgError::unsupported(format!("text input of type {} is not supported", desc.name))),
    }
}

/// The subtype of a range type.
fn subtype(env: &dyn TypeEnv, range_type: Oid) -> PgResult<Oid> {
    match range::builtin_subtype(range_type) {
        Some(s) => Ok(s),
        None => env.type_desc(range_type).map(|d| d.subtype),
    }
}

/// The delimiter between elements of a type: a semicolon for box alone among the built-in ones.
fn delim(env: &dyn TypeEnv, elem: Oid) -> PgResult<u8> {
    if elem == oid::BOX {
        return Ok(b';');
    }
    if elem < Oid::FIRST_NORMAL {
        return Ok(b',');
    }
    env.type_desc(elem).map(|d| d.delim)
}

fn array_text(env: &dyn TypeEnv, type_oid: Oid, a: &array::ArrayValue, out: &mut String) -> PgResult<()> {
    if !matches!(type_oid, oid::INT2VECTOR | oid::OIDVECTOR) {
        return array::array_out(env, a, delim(env, a.elem_type)?, out);
    }
    for (i, v) in a.values.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        text_out(env, a.elem_type, v, out)?;
    }
    Ok(())
}

fn enum_in(desc: &TypeDesc, s: &str) -> PgResult<Datum> {
    match desc.labels.iter().find(|(_, label, _)| &**label == s) {
        Some((oid, _, _)) => Ok(Datum::Oid(*oid)),
        None => {
            bail!(INVALID_TEXT_REPRESENTATION, "invalid input value for enum {}: \"{s}\"", desc.name)
        }
    }
}

/// The error of a pseudo-type's input function.
pub(crate) fn pseudo_in(desc: &TypeDesc) -> PgError {
    PgError::unsupported(format!("cannot accept a value of type {}", desc.name.trim_matches('"')))
}

/// Whether values of the type are object OIDs that the catalog spells.
pub fn is_reg(type_oid: Oid) -> bool {
    matches!(
        type_oid,
        oid::REGPROC
            | oid::REGPROCEDURE
            | oid::REGOPER
            | oid::REGOPERATOR
            | oid::REGCLASS
            | oid::REGTYPE
            | oid::REGCONFIG
            | oid::REGDICTIONARY
            | oid::REGNAMESPACE
            | oid::REGROLE
            | oid::REGCOLLATION
    )
}

/// The type's output function: appends the text of `value` (not NULL) to `out`.
pub fn text_out(env: &dyn TypeEnv, type_oid: Oid, value: &Datum, out: &mut String) -> PgResult<()> {
    match value {
        Datum::Int4(v) => fmt::push_i64(out, *v as i64),
        Datum::Text(s) => out.push_str(s),
        Datum::Int8(v) => match type_oid {
            oid::MONEY => money::money_out(*v, out),
            oid::XID8 => fmt::push_u64(out, *v as u64),
            _ => fmt::push_i64(out, *v),
        },
        Datum::Int2(v) => fmt::push_i64(out, *v as i64),
        Datum::Bool(b) => out.push(if *b { 't' } else { 'f' }),
        Datum::Numeric(n) => crate::numeric::write_text(n, out),
        Datum::Float8(v) => fmt::push_f64(out, *v, env.settings().extra_float_digits),
        Datum::Float4(v) => fmt::push_f32(out, *v, env.settings().extra_float_digits),
        Datum::Char(c) => scalar::char_out(*c, out),
        Datum::Oid(o) => return oid_out(env, type_oid, *o, out),
        Datum::Bytea(b) => scalar::bytea_out(b, env.settings().bytea_hex, out),
        Datum::Uuid(u) => scalar::uuid_out(u, out),
        Datum::Lsn(v) => scalar::lsn_out(*v, out),
        Datum::Tid(v) => scalar::tid_out(*v, out),
        Datum::Date(v) => datetime::date_out(*v, env.settings(), out),
        Datum::Time(v) => datetime::time_out(*v, out),
        Datum::TimeTz(v) => datetime::timetz_out(*v, out),
        Datum::Timestamp(v) => return timestamp_text(env, type_oid, *v, out),
        Datum::Interval(v) => datetime::interval_out(v, env.settings().interval_style, out),
        Datum::Jsonb(j) => jsonb::write(j, out),
        Datum::Array(a) => return array_text(env, type_oid, a, out),
        Datum::Record(r) => return record::record_out(env, r, out),
        Datum::Range(r) => return range::range_out(env, subtype(env, r.range_type)?, r, out),
        Datum::Multirange(m) => return range::multirange_out(env, subtype(env, m.range_type)?, m, out),
        Datum::Bits(b) => bits::bits_out(b, out),
        Datum::Inet(i) => net::inet_out(i, type_oid == oid::CIDR, out),
        Datum::MacAddr(m) => net::macaddr_out(m, out),
        Datum::MacAddr8(m) => net::macaddr_out(m, out),
        Datum::Geo(g) => geo::geo_out(g, env.settings().extra_float_digits, out),
        Datum::TsVector(v) => tsearch::tsvector_out(v, out),
        Datum::TsQuery(q) => tsearch::tsquery_out(q, out),
        Datum::Null => {}
        Datum::Extension(_) | Datum::Internal(_) => {
            return Err(PgError::unsupported(format!("text output of type {type_oid} is not supported")));
        }
    }
    Ok(())
}

/// timestamp and timestamptz share a physical form; a domain is resolved to its base.
fn timestamp_text(env: &dyn TypeEnv, type_oid: Oid, v: i64, out: &mut String) -> PgResult<()> {
    match type_oid {
        oid::TIMESTAMPTZ => datetime::timestamptz_out(v, env.settings(), out),
        oid::TIMESTAMP => datetime::timestamp_out(v, env.settings(), out),
        _ => {
            let desc = env.type_desc(type_oid)?;
            if desc.kind == TypeKind::Domain {
                return timestamp_text(env, desc.base, v, out);
            }
            datetime::timestamp_out(v, env.settings(), out);
        }
    }
    Ok(())
}

fn oid_out(env: &dyn TypeEnv, type_oid: Oid, value: Oid, out: &mut String) -> PgResult<()> {
    if is_reg(type_oid) {
        out.push_str(&env.reg_out(type_oid, value)?);
        return Ok(());
    }
    if matches!(type_oid, oid::OID | oid::XID | oid::CID) {
        fmt::push_u64(out, value.0 as u64);
        return Ok(());
    }
    let desc = env.type_desc(type_oid)?;
    match desc.kind {
        TypeKind::Domain => oid_out(env, desc.base, value, out),
        TypeKind::Enum => match desc.labels.iter().find(|(o, _, _)| *o == value) {
            Some((_, label, _)) => {
                out.push_str(label);
                Ok(())
            }
            None => bail!(INVALID_BINARY_REPRESENTATION, "invalid internal value for enum: {value}"),
        },
        _ => {
            fmt::push_u64(out, value.0 as u64);
            Ok(())
        }
    }
}

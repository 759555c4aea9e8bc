//! Object identifiers: the newtype and PostgreSQL's fixed type OIDs.

use std::fmt;

/// An object identifier. 0 is "none" (`InvalidOid`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Oid(pub u32);

impl Oid {
    pub const INVALID: Oid = Oid(0);
    /// The first OID that user objects get; everything below comes with the system.
    pub const FIRST_NORMAL: Oid = Oid(16384);
    pub const fn is_valid(self) -> bool {
        self.0 != 0
    }
    /// `Some(self)` unless it is 0.
    pub fn valid(self) -> Option<Oid> {
        self.is_valid().then_some(self)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

pub const BOOL: Oid = Oid(16);
pub const BYTEA: Oid = Oid(17);
pub const CHAR: Oid = Oid(18);
pub const NAME: Oid = Oid(19);
pub const INT8: Oid = Oid(20);
pub const INT2: Oid = Oid(21);
pub const INT2VECTOR: Oid = Oid(22);
pub const INT4: Oid = Oid(23);
pub const REGPROC: Oid = Oid(24);
pub const TEXT: Oid = Oid(25);
pub const OID: Oid = Oid(26);
pub const TID: Oid = Oid(27);
pub const XID: Oid = Oid(28);
pub const CID: Oid = Oid(29);
pub const OIDVECTOR: Oid = Oid(30);
pub const PG_DDL_COMMAND: Oid = Oid(32);
pub const JSON: Oid = Oid(114);
pub const XML: Oid = Oid(142);
pub const XML_ARRAY: Oid = Oid(143);
pub const PG_NODE_TREE: Oid = Oid(194);
pub const JSON_ARRAY: Oid = Oid(199);
pub const PG_TYPE_ARRAY: Oid = Oid(210);
pub const TABLE_AM_HANDLER: Oid = Oid(269);
pub const PG_ATTRIBUTE_ARRAY: Oid = Oid(270);
pub const XID8_ARRAY: Oid = Oid(271);
pub const PG_PROC_ARRAY: Oid = Oid(272);
pub const PG_CLASS_ARRAY: Oid = Oid(273);
pub const INDEX_AM_HANDLER: Oid = Oid(325);
pub const POINT: Oid = Oid(600);
pub const LSEG: Oid = Oid(601);
pub const PATH: Oid = Oid(602);
pub const BOX: Oid = Oid(603);
pub const POLYGON: Oid = Oid(604);
pub const LINE: Oid = Oid(628);
pub const LINE_ARRAY: Oid = Oid(629);
pub const CIDR: Oid = Oid(650);
pub const CIDR_ARRAY: Oid = Oid(651);
pub const FLOAT4: Oid = Oid(700);
pub const FLOAT8: Oid = Oid(701);
pub const UNKNOWN: Oid = Oid(705);
pub const CIRCLE: Oid = Oid(718);
pub const CIRCLE_ARRAY: Oid = Oid(719);
pub const MACADDR8: Oid = Oid(774);
pub const MACADDR8_ARRAY: Oid = Oid(775);
pub const MONEY: Oid = Oid(790);
pub const MONEY_ARRAY: Oid = Oid(791);
pub const MACADDR: Oid = Oid(829);
pub const INET: Oid = Oid(869);
pub const BOOL_ARRAY: Oid = Oid(1000);
pub const BYTEA_ARRAY: Oid = Oid(1001);
pub const CHAR_ARRAY: Oid = Oid(1002);
pub const NAME_ARRAY: Oid = Oid(1003);
pub const INT2_ARRAY: Oid = Oid(1005);
pub const INT2VECTOR_ARRAY: Oid = Oid(1006);
pub const INT4_ARRAY: Oid = Oid(1007);
pub const REGPROC_ARRAY: Oid = Oid(1008);
pub const TEXT_ARRAY: Oid = Oid(1009);
pub const TID_ARRAY: Oid = Oid(1010);
pub const XID_ARRAY: Oid = Oid(1011);
pub const CID_ARRAY: Oid = Oid(1012);
pub const OIDVECTOR_ARRAY: Oid = Oid(1013);
pub const BPCHAR_ARRAY: Oid = Oid(1014);
pub const VARCHAR_ARRAY: Oid = Oid(1015);
pub const INT8_ARRAY: Oid = Oid(1016);
pub const POINT_ARRAY: Oid = Oid(1017);
pub const LSEG_ARRAY: Oid = Oid(1018);
pub const PATH_ARRAY: Oid = Oid(1019);
pub const BOX_ARRAY: Oid = Oid(1020);
pub const FLOAT4_ARRAY: Oid = Oid(1021);
pub const FLOAT8_ARRAY: Oid = Oid(1022);
pub const POLYGON_ARRAY: Oid = Oid(1027);
pub const OID_ARRAY: Oid = Oid(1028);
pub const ACLITEM: Oid = Oid(1033);
pub const ACLITEM_ARRAY: Oid = Oid(1034);
pub const MACADDR_ARRAY: Oid = Oid(1040);
pub const INET_ARRAY: Oid = Oid(1041);
pub const BPCHAR: Oid = Oid(1042);
pub const VARCHAR: Oid = Oid(1043);
pub const DATE: Oid = Oid(1082);
pub const TIME: Oid = Oid(1083);
pub const TIMESTAMP: Oid = Oid(1114);
pub const TIMESTAMP_ARRAY: Oid = Oid(1115);
pub const DATE_ARRAY: Oid = Oid(1182);
pub const TIME_ARRAY: Oid = Oid(1183);
pub const TIMESTAMPTZ: Oid = Oid(1184);
pub const TIMESTAMPTZ_ARRAY: Oid = Oid(1185);
pub const INTERVAL: Oid = Oid(1186);
pub const INTERVAL_ARRAY: Oid = Oid(1187);
pub const NUMERIC_ARRAY: Oid = Oid(1231);
pub const CSTRING_ARRAY: Oid = Oid(1263);
pub const TIMETZ: Oid = Oid(1266);
pub const TIMETZ_ARRAY: Oid = Oid(1270);
pub const BIT: Oid = Oid(1560);
pub const BIT_ARRAY: Oid = Oid(1561);
pub const VARBIT: Oid = Oid(1562);
pub const VARBIT_ARRAY: Oid = Oid(1563);
pub const NUMERIC: Oid = Oid(1700);
pub const REFCURSOR: Oid = Oid(1790);
pub const REFCURSOR_ARRAY: Oid = Oid(2201);
pub const REGPROCEDURE: Oid = Oid(2202);
pub const REGOPER: Oid = Oid(2203);
pub const REGOPERATOR: Oid = Oid(2204);
pub const REGCLASS: Oid = Oid(2205);
pub const REGTYPE: Oid = Oid(2206);
pub const REGPROCEDURE_ARRAY: Oid = Oid(2207);
pub const REGOPER_ARRAY: Oid = Oid(2208);
pub const REGOPERATOR_ARRAY: Oid = Oid(2209);
pub const REGCLASS_ARRAY: Oid = Oid(2210);
pub const REGTYPE_ARRAY: Oid = Oid(2211);
pub const RECORD: Oid = Oid(2249);
pub const CSTRING: Oid = Oid(2275);
pub const ANY: Oid = Oid(2276);
pub const ANYARRAY: Oid = Oid(2277);
pub const VOID: Oid = Oid(2278);
pub const TRIGGER: Oid = Oid(2279);
pub const LANGUAGE_HANDLER: Oid = Oid(2280);
pub const INTERNAL: Oid = Oid(2281);
pub const ANYELEMENT: Oid = Oid(2283);
pub const RECORD_ARRAY: Oid = Oid(2287);
pub const ANYNONARRAY: Oid = Oid(2776);
pub const TXID_SNAPSHOT_ARRAY: Oid = Oid(2949);
pub const UUID: Oid = Oid(2950);
pub const UUID_ARRAY: Oid = Oid(2951);
pub const TXID_SNAPSHOT: Oid = Oid(2970);
pub const FDW_HANDLER: Oid = Oid(3115);
pub const PG_LSN: Oid = Oid(3220);
pub const PG_LSN_ARRAY: Oid = Oid(3221);
pub const TSM_HANDLER: Oid = Oid(3310);
pub const PG_NDISTINCT: Oid = Oid(3361);
pub const PG_DEPENDENCIES: Oid = Oid(3402);
pub const ANYENUM: Oid = Oid(3500);
pub const TSVECTOR: Oid = Oid(3614);
pub const TSQUERY: Oid = Oid(3615);
pub const GTSVECTOR: Oid = Oid(3642);
pub const TSVECTOR_ARRAY: Oid = Oid(3643);
pub const GTSVECTOR_ARRAY: Oid = Oid(3644);
pub const TSQUERY_ARRAY: Oid = Oid(3645);
pub const REGCONFIG: Oid = Oid(3734);
pub const REGCONFIG_ARRAY: Oid = Oid(3735);
pub const REGDICTIONARY: Oid = Oid(3769);
pub const REGDICTIONARY_ARRAY: Oid = Oid(3770);
pub const JSONB: Oid = Oid(3802);
pub const JSONB_ARRAY: Oid = Oid(3807);
pub const ANYRANGE: Oid = Oid(3831);
pub const EVENT_TRIGGER: Oid = Oid(3838);
pub const INT4RANGE: Oid = Oid(3904);
pub const INT4RANGE_ARRAY: Oid = Oid(3905);
pub const NUMRANGE: Oid = Oid(3906);
pub const NUMRANGE_ARRAY: Oid = Oid(3907);
pub const TSRANGE: Oid = Oid(3908);
pub const TSRANGE_ARRAY: Oid = Oid(3909);
pub const TSTZRANGE: Oid = Oid(3910);
pub const TSTZRANGE_ARRAY: Oid = Oid(3911);
pub const DATERANGE: Oid = Oid(3912);
pub const DATERANGE_ARRAY: Oid = Oid(3913);
pub const INT8RANGE: Oid = Oid(3926);
pub const INT8RANGE_ARRAY: Oid = Oid(3927);
pub const JSONPATH: Oid = Oid(4072);
pub const JSONPATH_ARRAY: Oid = Oid(4073);
pub const REGNAMESPACE: Oid = Oid(4089);
pub const REGNAMESPACE_ARRAY: Oid = Oid(4090);
pub const REGROLE: Oid = Oid(4096);
pub const REGROLE_ARRAY: Oid = Oid(4097);
pub const REGCOLLATION: Oid = Oid(4191);
pub const REGCOLLATION_ARRAY: Oid = Oid(4192);
pub const INT4MULTIRANGE: Oid = Oid(4451);
pub const NUMMULTIRANGE: Oid = Oid(4532);
pub const TSMULTIRANGE: Oid = Oid(4533);
pub const TSTZMULTIRANGE: Oid = Oid(4534);
pub const DATEMULTIRANGE: Oid = Oid(4535);
pub const INT8MULTIRANGE: Oid = Oid(4536);
pub const ANYMULTIRANGE: Oid = Oid(4537);
pub const ANYCOMPATIBLEMULTIRANGE: Oid = Oid(4538);
pub const PG_BRIN_BLOOM_SUMMARY: Oid = Oid(4600);
pub const PG_BRIN_MINMAX_MULTI_SUMMARY: Oid = Oid(4601);
pub const PG_MCV_LIST: Oid = Oid(5017);
pub const PG_SNAPSHOT: Oid = Oid(5038);
pub const PG_SNAPSHOT_ARRAY: Oid = Oid(5039);
pub const XID8: Oid = Oid(5069);
pub const ANYCOMPATIBLE: Oid = Oid(5077);
pub const ANYCOMPATIBLEARRAY: Oid = Oid(5078);
pub const ANYCOMPATIBLENONARRAY: Oid = Oid(5079);
pub const ANYCOMPATIBLERANGE: Oid = Oid(5080);
pub const INT4MULTIRANGE_ARRAY: Oid = Oid(6150);
pub const NUMMULTIRANGE_ARRAY: Oid = Oid(6151);
pub const TSMULTIRANGE_ARRAY: Oid = Oid(6152);
pub const TSTZMULTIRANGE_ARRAY: Oid = Oid(6153);
pub const DATEMULTIRANGE_ARRAY: Oid = Oid(6155);
pub const INT8MULTIRANGE_ARRAY: Oid = Oid(6157);

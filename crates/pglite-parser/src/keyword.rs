//! The keywords of PostgreSQL 18: their categories and whether each may be a column label without AS.
//!
//! The lexer looks words up here; `pg_get_keywords()` and `quote_identifier` read the same table.

/// How far a keyword is reserved (`pg_get_keywords().catcode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeywordCategory {
    /// `U`: usable as any name.
    Unreserved,
    /// `C`: usable as a column or table name, not as a function or type name.
    ColName,
    /// `T`: usable as a function or type name, not as a column or table name.
    TypeFuncName,
    /// `R`
    Reserved,
}

/// A keyword as `pg_get_keywords()` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyword {
    pub word: &'static str,
    pub category: KeywordCategory,
    /// May be a column label without AS.
    pub bare_label: bool,
}

macro_rules! category {
    (U) => {
        KeywordCategory::Unreserved
    };
    (C) => {
        KeywordCategory::ColName
    };
    (T) => {
        KeywordCategory::TypeFuncName
    };
    (R) => {
        KeywordCategory::Reserved
    };
}

macro_rules! bare {
    (B) => {
        true
    };
    (A) => {
        false
    };
}

macro_rules! keywords {
    ($($v:ident $w:literal $c:ident $b:ident,)*) => {
        /// A keyword token. The first variants are no words: they mark other tokens, and the words that the
        /// token filter renames because of the word after them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Kw {
            /// Not a keyword.
            NoKeyword,
            /// FORMAT before JSON
            FormatLa,
            /// NOT before BETWEEN, IN, LIKE, ILIKE, SIMILAR
            NotLa,
            /// NULLS before FIRST, LAST
            NullsLa,
            /// WITH before TIME, ORDINALITY
            WithLa,
            /// WITHOUT before TIME
            WithoutLa,
            $($v,)*
        }

        /// All keywords in ASCII order.
        pub static KEYWORDS: &[Keyword] = &[
            $(Keyword { word: $w, category: category!($c), bare_label: bare!($b) },)*
        ];

        static KW_OF: &[Kw] = &[$(Kw::$v,)*];
    };
}

keywords! {
    Abort "abort" U B,
    Absent "absent" U B,
    Absolute "absolute" U B,
    Access "access" U B,
    Action "action" U B,
    Add "add" U B,
    Admin "admin" U B,
    After "after" U B,
    Aggregate "aggregate" U B,
    All "all" R B,
    Also "also" U B,
    Alter "alter" U B,
    Always "always" U B,
    Analyse "analyse" R B,
    Analyze "analyze" R B,
    And "and" R B,
    Any "any" R B,
    Array "array" R A,
    As "as" R A,
    Asc "asc" R B,
    Asensitive "asensitive" U B,
    Assertion "assertion" U B,
    Assignment "assignment" U B,
    Asymmetric "asymmetric" R B,
    At "at" U B,
    Atomic "atomic" U B,
    Attach "attach" U B,
    Attribute "attribute" U B,
    Authorization "authorization" T B,
    Backward "backward" U B,
    Before "before" U B,
    Begin "begin" U B,
    Between "between" C B,
    Bigint "bigint" C B,
    Binary "binary" T B,
    Bit "bit" C B,
    Boolean "boolean" C B,
    Both "both" R B,
    Breadth "breadth" U B,
    By "by" U B,
    Cache "cache" U B,
    Call "call" U B,
    Called "called" U B,
    Cascade "cascade" U B,
    Cascaded "cascaded" U B,
    Case "case" R B,
    Cast "cast" R B,
    Catalog "catalog" U B,
    Chain "chain" U B,
    Char "char" C A,
    Character "character" C A,
    Characteristics "characteristics" U B,
    Check "check" R B,
    Checkpoint "checkpoint" U B,
    Class "class" U B,
    Close "close" U B,
    Cluster "cluster" U B,
    Coalesce "coalesce" C B,
    Collate "collate" R B,
    Collation "collation" T B,
    Column "column" R B,
    Columns "columns" U B,
    Comment "comment" U B,
    Comments "comments" U B,
    Commit "commit" U B,
    Committed "committed" U B,
    Compression "compression" U B,
    Concurrently "concurrently" T B,
    Conditional "conditional" U B,
    Configuration "configuration" U B,
    Conflict "conflict" U B,
    Connection "connection" U B,
    Constraint "constraint" R B,
    Constraints "constraints" U B,
    Content "content" U B,
    Continue "continue" U B,
    Conversion "conversion" U B,
    Copy "copy" U B,
    Cost "cost" U B,
    Create "create" R A,
    Cross "cross" T B,
    Csv "csv" U B,
    Cube "cube" U B,
    Current "current" U B,
    CurrentCatalog "current_catalog" R B,
    CurrentDate "current_date" R B,
    CurrentRole "current_role" R B,
    CurrentSchema "current_schema" T B,
    CurrentTime "current_time" R B,
    CurrentTimestamp "current_timestamp" R B,
    CurrentUser "current_user" R B,
    Cursor "cursor" U B,
    Cycle "cycle" U B,
    Data "data" U B,
    Database "database" U B,
    Day "day" U A,
    Deallocate "deallocate" U B,
    Dec "dec" C B,
    Decimal "decimal" C B,
    Declare "declare" U B,
    Default "default" R B,
    Defaults "defaults" U B,
    Deferrable "deferrable" R B,
    Deferred "deferred" U B,
    Definer "definer" U B,
    Delete "delete" U B,
    Delimiter "delimiter" U B,
    Delimiters "delimiters" U B,
    Depends "depends" U B,
    Depth "depth" U B,
    Desc "desc" R B,
    Detach "detach" U B,
    Dictionary "dictionary" U B,
    Disable "disable" U B,
    Discard "discard" U B,
    Distinct "distinct" R B,
    Do "do" R B,
    Document "document" U B,
    Domain "domain" U B,
    Double "double" U B,
    Drop "drop" U B,
    Each "each" U B,
    Else "else" R B,
    Empty "empty" U B,
    Enable "enable" U B,
    Encoding "encoding" U B,
    Encrypted "encrypted" U B,
    End "end" R B,
    Enforced "enforced" U B,
    Enum "enum" U B,
    Error "error" U B,
    Escape "escape" U B,
    Event "event" U B,
    Except "except" R A,
    Exclude "exclude" U B,
    Excluding "excluding" U B,
    Exclusive "exclusive" U B,
    Execute "execute" U B,
    Exists "exists" C B,
    Explain "explain" U B,
    Expression "expression" U B,
    Extension "extension" U B,
    External "external" U B,
    Extract "extract" C B,
    False "false" R B,
    Family "family" U B,
    Fetch "fetch" R A,
    Filter "filter" U A,
    Finalize "finalize" U B,
    First "first" U B,
    Float "float" C B,
    Following "following" U B,
    For "for" R A,
    Force "force" U B,
    Foreign "foreign" R B,
    Format "format" U B,
    Forward "forward" U B,
    Freeze "freeze" T B,
    From "from" R A,
    Full "full" T B,
    Function "function" U B,
    Functions "functions" U B,
    Generated "generated" U B,
    Global "global" U B,
    Grant "grant" R A,
    Granted "granted" U B,
    Greatest "greatest" C B,
    Group "group" R A,
    Grouping "grouping" C B,
    Groups "groups" U B,
    Handler "handler" U B,
    Having "having" R A,
    Header "header" U B,
    Hold "hold" U B,
    Hour "hour" U A,
    Identity "identity" U B,
    If "if" U B,
    Ilike "ilike" T B,
    Immediate "immediate" U B,
    Immutable "immutable" U B,
    Implicit "implicit" U B,
    Import "import" U B,
    In "in" R B,
    Include "include" U B,
    Including "including" U B,
    Increment "increment" U B,
    Indent "indent" U B,
    Index "index" U B,
    Indexes "indexes" U B,
    Inherit "inherit" U B,
    Inherits "inherits" U B,
    Initially "initially" R B,
    Inline "inline" U B,
    Inner "inner" T B,
    Inout "inout" C B,
    Input "input" U B,
    Insensitive "insensitive" U B,
    Insert "insert" U B,
    Instead "instead" U B,
    Int "int" C B,
    Integer "integer" C B,
    Intersect "intersect" R A,
    Interval "interval" C B,
    Into "into" R A,
    Invoker "invoker" U B,
    Is "is" T B,
    Isnull "isnull" T A,
    Isolation "isolation" U B,
    Join "join" T B,
    Json "json" C B,
    JsonArray "json_array" C B,
    JsonArrayagg "json_arrayagg" C B,
    JsonExists "json_exists" C B,
    JsonObject "json_object" C B,
    JsonObjectagg "json_objectagg" C B,
    JsonQuery "json_query" C B,
    JsonScalar "json_scalar" C B,
    JsonSerialize "json_serialize" C B,
    JsonTable "json_table" C B,
    JsonValue "json_value" C B,
    Keep "keep" U B,
    Key "key" U B,
    Keys "keys" U B,
    Label "label" U B,
    Language "language" U B,
    Large "large" U B,
    Last "last" U B,
    Lateral "lateral" R B,
    Leading "leading" R B,
    Leakproof "leakproof" U B,
    Least "least" C B,
    Left "left" T B,
    Level "level" U B,
    Like "like" T B,
    Limit "limit" R A,
    Listen "listen" U B,
    Load "load" U B,
    Local "local" U B,
    Localtime "localtime" R B,
    Localtimestamp "localtimestamp" R B,
    Location "location" U B,
    Lock "lock" U B,
    Locked "locked" U B,
    Logged "logged" U B,
    Mapping "mapping" U B,
    Match "match" U B,
    Matched "matched" U B,
    Materialized "materialized" U B,
    Maxvalue "maxvalue" U B,
    Merge "merge" U B,
    MergeAction "merge_action" C B,
    Method "method" U B,
    Minute "minute" U A,
    Minvalue "minvalue" U B,
    Mode "mode" U B,
    Month "month" U A,
    Move "move" U B,
    Name "name" U B,
    Names "names" U B,
    National "national" C B,
    Natural "natural" T B,
    Nchar "nchar" C B,
    Nested "nested" U B,
    New "new" U B,
    Next "next" U B,
    Nfc "nfc" U B,
    Nfd "nfd" U B,
    Nfkc "nfkc" U B,
    Nfkd "nfkd" U B,
    No "no" U B,
    None "none" C B,
    Normalize "normalize" C B,
    Normalized "normalized" U B,
    Not "not" R B,
    Nothing "nothing" U B,
    Notify "notify" U B,
    Notnull "notnull" T A,
    Nowait "nowait" U B,
    Null "null" R B,
    Nullif "nullif" C B,
    Nulls "nulls" U B,
    Numeric "numeric" C B,
    Object "object" U B,
    Objects "objects" U B,
    Of "of" U B,
    Off "off" U B,
    Offset "offset" R A,
    Oids "oids" U B,
    Old "old" U B,
    Omit "omit" U B,
    On "on" R A,
    Only "only" R B,
    Operator "operator" U B,
    Option "option" U B,
    Options "options" U B,
    Or "or" R B,
    Order "order" R A,
    Ordinality "ordinality" U B,
    Others "others" U B,
    Out "out" C B,
    Outer "outer" T B,
    Over "over" U A,
    Overlaps "overlaps" T A,
    Overlay "overlay" C B,
    Overriding "overriding" U B,
    Owned "owned" U B,
    Owner "owner" U B,
    Parallel "parallel" U B,
    Parameter "parameter" U B,
    Parser "parser" U B,
    Partial "partial" U B,
    Partition "partition" U B,
    Passing "passing" U B,
    Password "password" U B,
    Path "path" U B,
    Period "period" U B,
    Placing "placing" R B,
    Plan "plan" U B,
    Plans "plans" U B,
    Policy "policy" U B,
    Position "position" C B,
    Preceding "preceding" U B,
    Precision "precision" C A,
    Prepare "prepare" U B,
    Prepared "prepared" U B,
    Preserve "preserve" U B,
    Primary "primary" R B,
    Prior "prior" U B,
    Privileges "privileges" U B,
    Procedural "procedural" U B,
    Procedure "procedure" U B,
    Procedures "procedures" U B,
    Program "program" U B,
    Publication "publication" U B,
    Quote "quote" U B,
    Quotes "quotes" U B,
    Range "range" U B,
    Read "read" U B,
    Real "real" C B,
    Reassign "reassign" U B,
    Recursive "recursive" U B,
    Ref "ref" U B,
    References "references" R B,
    Referencing "referencing" U B,
    Refresh "refresh" U B,
    Reindex "reindex" U B,
    Relative "relative" U B,
    Release "release" U B,
    Rename "rename" U B,
    Repeatable "repeatable" U B,
    Replace "replace" U B,
    Replica "replica" U B,
    Reset "reset" U B,
    Restart "restart" U B,
    Restrict "restrict" U B,
    Return "return" U B,
    Returning "returning" R A,
    Returns "returns" U B,
    Revoke "revoke" U B,
    Right "right" T B,
    Role "role" U B,
    Rollback "rollback" U B,
    Rollup "rollup" U B,
    Routine "routine" U B,
    Routines "routines" U B,
    Row "row" C B,
    Rows "rows" U B,
    Rule "rule" U B,
    Savepoint "savepoint" U B,
    Scalar "scalar" U B,
    Schema "schema" U B,
    Schemas "schemas" U B,
    Scroll "scroll" U B,
    Search "search" U B,
    Second "second" U A,
    Security "security" U B,
    Select "select" R B,
    Sequence "sequence" U B,
    Sequences "sequences" U B,
    Serializable "serializable" U B,
    Server "server" U B,
    Session "session" U B,
    SessionUser "session_user" R B,
    Set "set" U B,
    Setof "setof" C B,
    Sets "sets" U B,
    Share "share" U B,
    Show "show" U B,
    Similar "similar" T B,
    Simple "simple" U B,
    Skip "skip" U B,
    Smallint "smallint" C B,
    Snapshot "snapshot" U B,
    Some "some" R B,
    Source "source" U B,
    Sql "sql" U B,
    Stable "stable" U B,
    Standalone "standalone" U B,
    Start "start" U B,
    Statement "statement" U B,
    Statistics "statistics" U B,
    Stdin "stdin" U B,
    Stdout "stdout" U B,
    Storage "storage" U B,
    Stored "stored" U B,
    Strict "strict" U B,
    String "string" U B,
    Strip "strip" U B,
    Subscription "subscription" U B,
    Substring "substring" C B,
    Support "support" U B,
    Symmetric "symmetric" R B,
    Sysid "sysid" U B,
    System "system" U B,
    SystemUser "system_user" R B,
    Table "table" R B,
    Tables "tables" U B,
    Tablesample "tablesample" T B,
    Tablespace "tablespace" U B,
    Target "target" U B,
    Temp "temp" U B,
    Template "template" U B,
    Temporary "temporary" U B,
    Text "text" U B,
    Then "then" R B,
    Ties "ties" U B,
    Time "time" C B,
    Timestamp "timestamp" C B,
    To "to" R A,
    Trailing "trailing" R B,
    Transaction "transaction" U B,
    Transform "transform" U B,
    Treat "treat" C B,
    Trigger "trigger" U B,
    Trim "trim" C B,
    True "true" R B,
    Truncate "truncate" U B,
    Trusted "trusted" U B,
    Type "type" U B,
    Types "types" U B,
    Uescape "uescape" U B,
    Unbounded "unbounded" U B,
    Uncommitted "uncommitted" U B,
    Unconditional "unconditional" U B,
    Unencrypted "unencrypted" U B,
    Union "union" R A,
    Unique "unique" R B,
    Unknown "unknown" U B,
    Unlisten "unlisten" U B,
    Unlogged "unlogged" U B,
    Until "until" U B,
    Update "update" U B,
    User "user" R B,
    Using "using" R B,
    Vacuum "vacuum" U B,
    Valid "valid" U B,
    Validate "validate" U B,
    Validator "validator" U B,
    Value "value" U B,
    Values "values" C B,
    Varchar "varchar" C B,
    Variadic "variadic" R B,
    Varying "varying" U A,
    Verbose "verbose" T B,
    Version "version" U B,
    View "view" U B,
    Views "views" U B,
    Virtual "virtual" U B,
    Volatile "volatile" U B,
    When "when" R B,
    Where "where" R A,
    Whitespace "whitespace" U B,
    Window "window" R A,
    With "with" R A,
    Within "within" U A,
    Without "without" U A,
    Work "work" U B,
    Wrapper "wrapper" U B,
    Write "write" U B,
    Xml "xml" U B,
    Xmlattributes "xmlattributes" C B,
    Xmlconcat "xmlconcat" C B,
    Xmlelement "xmlelement" C B,
    Xmlexists "xmlexists" C B,
    Xmlforest "xmlforest" C B,
    Xmlnamespaces "xmlnamespaces" C B,
    Xmlparse "xmlparse" C B,
    Xmlpi "xmlpi" C B,
    Xmlroot "xmlroot" C B,
    Xmlserialize "xmlserialize" C B,
    Xmltable "xmltable" C B,
    Year "year" U A,
    Yes "yes" U B,
    Zone "zone" U B,
}

/// Number of [`Kw`] variants before the first word.
const FIRST: u16 = Kw::Abort as u16;

impl Kw {
    fn entry(self) -> Option<&'static Keyword> {
        (self as u16).checked_sub(FIRST).map(|i| &KEYWORDS[i as usize])
    }
    /// None for tokens that are no keyword, and for the renamed ones.
    pub fn category(self) -> Option<KeywordCategory> {
        self.entry().map(|k| k.category)
    }
    pub fn is_bare_label(self) -> bool {
        self.entry().is_some_and(|k| k.bare_label)
    }
    /// The word, in lower case.
    pub fn word(self) -> &'static str {
        match self {
            Kw::NoKeyword => "",
            Kw::FormatLa => "format",
            Kw::NotLa => "not",
            Kw::NullsLa => "nulls",
            Kw::WithLa => "with",
            Kw::WithoutLa => "without",
            _ => self.entry().map_or("", |k| k.word),
        }
    }
}

const MAX_WORD: usize = 17;
const SLOTS: usize = 2048;

const fn hash_step(h: u32, byte: u8) -> u32 {
    (h ^ byte as u32).wrapping_mul(0x0100_0193)
}

const fn slot_of(h: u32) -> usize {
    ((h ^ (h >> 15)) as usize) & (SLOTS - 1)
}

/// Open-addressing table of indexes into [`KEYWORDS`], plus one; 0 is empty.
static TABLE: [u16; SLOTS] = build_table();

const fn build_table() -> [u16; SLOTS] {
    let mut table = [0u16; SLOTS];
    let mut i = 0;
    while i < KEYWORDS.len() {
        let word = KEYWORDS[i].word.as_bytes();
        let mut h = 0x811c_9dc5;
        let mut j = 0;
        while j < word.len() {
            h = hash_step(h, word[j]);
            j += 1;
        }
        let mut slot = slot_of(h);
        while table[slot] != 0 {
            slot = (slot + 1) & (SLOTS - 1);
        }
        table[slot] = i as u16 + 1;
        i += 1;
    }
    table
}

/// Looks a word up as the lexer does: ASCII case does not matter.
pub(crate) fn lookup(word: &[u8]) -> Kw {
    if word.len() > MAX_WORD {
        return Kw::NoKeyword;
    }
    let mut h = 0x811c_9dc5;
    for &byte in word {
        h = hash_step(h, byte.to_ascii_lowercase());
    }
    let mut slot = slot_of(h);
    loop {
        match TABLE[slot] {
            0 => return Kw::NoKeyword,
            i => {
                let i = i as usize - 1;
                if KEYWORDS[i].word.as_bytes().eq_ignore_ascii_case(word) {
                    return KW_OF[i];
                }
            }
        }
        slot = (slot + 1) & (SLOTS - 1);
    }
}

/// The category of a word, in any case; None if it is no keyword.
pub fn keyword_category(word: &str) -> Option<KeywordCategory> {
    lookup(word.as_bytes()).category()
}

/// Double-quotes an identifier unless it would read back as itself without.
pub fn quote_identifier(name: &str) -> std::borrow::Cow<'_, str> {
    let bytes = name.as_bytes();
    let safe = bytes.first().is_some_and(|b| b.is_ascii_lowercase() || *b == b'_')
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
        && matches!(keyword_category(name), None | Some(KeywordCategory::Unreserved));
    if safe { name.into() } else { format!("\"{}\"", name.replace('"', "\"\"")).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found_in_any_case() {
        for (i, k) in KEYWORDS.iter().enumerate() {
            assert_eq!(lookup(k.word.as_bytes()), KW_OF[i]);
            assert_eq!(lookup(k.word.to_uppercase().as_bytes()), KW_OF[i]);
            assert_eq!(KW_OF[i].word(), k.word);
        }
        assert_eq!(lookup(b"selec"), Kw::NoKeyword);
        assert_eq!(lookup(b""), Kw::NoKeyword);
        assert!(KEYWORDS.windows(2).all(|w| w[0].word < w[1].word));
    }

    #[test]
    fn quoting() {
        assert_eq!(quote_identifier("abc_1"), "abc_1");
        assert_eq!(quote_identifier("Abc"), "\"Abc\"");
        assert_eq!(quote_identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(quote_identifier("select"), "\"select\"");
        assert_eq!(quote_identifier("abort"), "abort");
        assert_eq!(quote_identifier("int"), "\"int\"");
        assert_eq!(quote_identifier(""), "\"\"");
        assert_eq!(quote_identifier("1a"), "\"1a\"");
    }
}

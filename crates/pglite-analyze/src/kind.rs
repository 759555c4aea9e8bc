//! Where an expression stands (PostgreSQL's `ParseExprKind`), and what may not stand there.

/// The place of an expression in a statement; decides what is allowed in it and how errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ExprKind {
    #[default]
    None,
    Other,
    JoinOn,
    JoinUsing,
    FromSubselect,
    FromFunction,
    Where,
    Having,
    Filter,
    WindowPartition,
    WindowOrder,
    WindowFrameRange,
    WindowFrameRows,
    WindowFrameGroups,
    SelectTarget,
    InsertTarget,
    UpdateSource,
    UpdateTarget,
    MergeWhen,
    GroupBy,
    OrderBy,
    DistinctOn,
    Limit,
    Offset,
    Returning,
    MergeReturning,
    Values,
    ValuesSingle,
    CheckConstraint,
    DomainCheck,
    ColumnDefault,
    FunctionDefault,
    IndexExpression,
    IndexPredicate,
    StatsExpression,
    AlterColTransform,
    ExecuteParameter,
    TriggerWhen,
    PartitionBound,
    PartitionExpression,
    CallArgument,
    CopyWhere,
    GeneratedColumn,
    CycleMark,
    Policy,
}

use ExprKind as K;

/// Whether a construct may stand in a place; if not, how the error puts it.
pub(crate) enum Verdict {
    Ok,
    /// The complete phrase after "... not allowed in ".
    Phrase(&'static str),
    /// Use the kind's own name.
    Name,
}

impl ExprKind {
    /// The kind's name in messages.
    pub fn name(self) -> &'static str {
        match self {
            K::None | K::Other => "expression",
            K::JoinOn => "JOIN/ON",
            K::JoinUsing => "JOIN/USING",
            K::FromSubselect => "sub-SELECT in FROM",
            K::FromFunction => "function in FROM",
            K::Where | K::CopyWhere => "WHERE",
            K::Policy => "POLICY",
            K::Having => "HAVING",
            K::Filter => "FILTER",
            K::WindowPartition => "window PARTITION BY",
            K::WindowOrder => "window ORDER BY",
            K::WindowFrameRange => "window RANGE",
            K::WindowFrameRows => "window ROWS",
            K::WindowFrameGroups => "window GROUPS",
            K::SelectTarget => "SELECT",
            K::InsertTarget => "INSERT",
            K::UpdateSource | K::UpdateTarget => "UPDATE",
            K::MergeWhen => "MERGE WHEN",
            K::GroupBy => "GROUP BY",
            K::OrderBy => "ORDER BY",
            K::DistinctOn => "DISTINCT ON",
            K::Limit => "LIMIT",
            K::Offset => "OFFSET",
            K::Returning | K::MergeReturning => "RETURNING",
            K::Values | K::ValuesSingle => "VALUES",
            K::CheckConstraint | K::DomainCheck => "CHECK",
            K::ColumnDefault | K::FunctionDefault => "DEFAULT",
            K::IndexExpression => "index expression",
            K::IndexPredicate => "index predicate",
            K::StatsExpression => "statistics expression",
            K::AlterColTransform => "USING",
            K::ExecuteParameter => "EXECUTE",
            K::TriggerWhen => "WHEN",
            K::PartitionBound => "partition bound",
            K::PartitionExpression => "PARTITION BY",
            K::CallArgument => "CALL",
            K::GeneratedColumn => "GENERATED AS",
            K::CycleMark => "CYCLE",
        }
    }

    /// The phrase shared by the errors about aggregates, window functions and set-returning functions.
    fn phrase(self) -> Option<&'static str> {
        Some(match self {
            K::JoinOn | K::JoinUsing => "JOIN conditions",
            K::Policy => "policy expressions",
            K::MergeWhen => "MERGE WHEN conditions",
            K::CheckConstraint | K::DomainCheck => "check constraints",
            K::ColumnDefault | K::FunctionDefault => "DEFAULT expressions",
            K::IndexExpression => "index expressions",
            K::IndexPredicate => "index predicates",
            K::StatsExpression => "statistics expressions",
            K::AlterColTransform => "transform expressions",
            K::ExecuteParameter => "EXECUTE parameters",
            K::TriggerWhen => "trigger WHEN conditions",
            K::PartitionBound => "partition bound",
            K::PartitionExpression => "partition key expressions",
            K::CallArgument => "CALL arguments",
            K::CopyWhere => "COPY FROM WHERE conditions",
            K::GeneratedColumn => "column generation expressions",
            _ => return None,
        })
    }

    pub(crate) fn aggregate_verdict(self) -> Verdict {
        match self {
            K::None
            | K::Other
            | K::Having
            | K::WindowPartition
            | K::WindowOrder
            | K::SelectTarget
            | K::OrderBy
            | K::DistinctOn => Verdict::Ok,
            K::FromSubselect => Verdict::Phrase("FROM clause of their own query level"),
            K::FromFunction => Verdict::Phrase("functions in FROM"),
            K::WindowFrameRange => Verdict::Phrase("window RANGE"),
            K::WindowFrameRows => Verdict::Phrase("window ROWS"),
            K::WindowFrameGroups => Verdict::Phrase("window GROUPS"),
            _ => self.phrase().map_or(Verdict::Name, Verdict::Phrase),
        }
    }

    pub(crate) fn window_verdict(self) -> Verdict {
        match self {
            K::None | K::Other | K::SelectTarget | K::OrderBy | K::DistinctOn => Verdict::Ok,
            K::FromFunction => Verdict::Phrase("functions in FROM"),
            K::WindowPartition
            | K::WindowOrder
            | K::WindowFrameRange
            | K::WindowFrameRows
            | K::WindowFrameGroups => Verdict::Phrase("window definitions"),
            _ => self.phrase().map_or(Verdict::Name, Verdict::Phrase),
        }
    }

    /// FROM functions need the caller's own check.
    pub(crate) fn srf_verdict(self) -> Verdict {
        match self {
            K::None
            | K::Other
            | K::FromFunction
            | K::SelectTarget
            | K::InsertTarget
            | K::GroupBy
            | K::OrderBy
            | K::DistinctOn
            | K::ValuesSingle => Verdict::Ok,
            K::WindowPartition | K::WindowOrder => Verdict::Ok,
            K::WindowFrameRange | K::WindowFrameRows | K::WindowFrameGroups => {
                Verdict::Phrase("window definitions")
            }
            K::CallArgument => Verdict::Phrase("CALL arguments"),
            _ => self.phrase().map_or(Verdict::Name, Verdict::Phrase),
        }
    }

    /// The complete message when a subquery may not stand here.
    pub(crate) fn sublink_error(self) -> Option<&'static str> {
        Some(match self {
            K::CheckConstraint | K::DomainCheck => "cannot use subquery in check constraint",
            K::ColumnDefault | K::FunctionDefault => "cannot use subquery in DEFAULT expression",
            K::IndexExpression => "cannot use subquery in index expression",
            K::IndexPredicate => "cannot use subquery in index predicate",
            K::StatsExpression => "cannot use subquery in statistics expression",
            K::AlterColTransform => "cannot use subquery in transform expression",
            K::ExecuteParameter => "cannot use subquery in EXECUTE parameter",
            K::TriggerWhen => "cannot use subquery in trigger WHEN condition",
            K::PartitionBound => "cannot use subquery in partition bound",
            K::PartitionExpression => "cannot use subquery in partition key expression",
            K::CallArgument => "cannot use subquery in CALL argument",
            K::CopyWhere => "cannot use subquery in COPY FROM WHERE condition",
            K::GeneratedColumn => "cannot use subquery in column generation expression",
            _ => return None,
        })
    }

    /// The complete message when a column reference may not stand here.
    pub(crate) fn column_error(self) -> Option<&'static str> {
        match self {
            K::ColumnDefault => Some("cannot use column reference in DEFAULT expression"),
            K::PartitionBound => Some("cannot use column reference in partition bound expression"),
            _ => None,
        }
    }
}

//! Planner settings, read once a statement.

use crate::env::PlannerEnv;

/// The planner's settings with PostgreSQL's names and defaults.
pub(crate) struct Settings {
    pub seq_page_cost: f64,
    pub random_page_cost: f64,
    pub cpu_tuple_cost: f64,
    pub cpu_index_tuple_cost: f64,
    pub cpu_operator_cost: f64,
    pub effective_cache_size: f64,
    /// kB
    pub work_mem: f64,
    pub hash_mem_multiplier: f64,
    pub cursor_tuple_fraction: f64,
    pub recursive_worktable_factor: f64,
    pub from_collapse_limit: usize,
    pub join_collapse_limit: usize,
    pub geqo: bool,
    pub geqo_threshold: usize,
    pub seqscan: bool,
    pub indexscan: bool,
    pub indexonlyscan: bool,
    pub tidscan: bool,
    pub sort: bool,
    pub incremental_sort: bool,
    pub hashagg: bool,
    pub nestloop: bool,
    pub mergejoin: bool,
    pub hashjoin: bool,
    pub material: bool,
    pub memoize: bool,
    pub partition_pruning: bool,
}

impl Settings {
    pub fn read(env: &dyn PlannerEnv) -> Settings {
        let flag = |name: &str| env.setting_bool(name).unwrap_or(true);
        let real = |name: &str, default: f64| env.setting_real(name).unwrap_or(default);
        let int = |name: &str, default: i64| env.setting_int(name).unwrap_or(default);
        Settings {
            seq_page_cost: real("seq_page_cost", 1.0),
            random_page_cost: real("random_page_cost", 4.0),
            cpu_tuple_cost: real("cpu_tuple_cost", 0.01),
            cpu_index_tuple_cost: real("cpu_index_tuple_cost", 0.005),
            cpu_operator_cost: real("cpu_operator_cost", 0.0025),
            effective_cache_size: int("effective_cache_size", 524_288) as f64,
            work_mem: int("work_mem", 4096) as f64,
            hash_mem_multiplier: real("hash_mem_multiplier", 2.0),
            cursor_tuple_fraction: real("cursor_tuple_fraction", 0.1),
            recursive_worktable_factor: real("recursive_worktable_factor", 10.0),
            from_collapse_limit: int("from_collapse_limit", 8).max(1) as usize,
            join_collapse_limit: int("join_collapse_limit", 8).max(1) as usize,
            geqo: flag("geqo"),
            geqo_threshold: int("geqo_threshold", 12).max(2) as usize,
            seqscan: flag("enable_seqscan"),
            indexscan: flag("enable_indexscan"),
            indexonlyscan: flag("enable_indexonlyscan"),
            tidscan: flag("enable_tidscan"),
            sort: flag("enable_sort"),
            incremental_sort: flag("enable_incremental_sort"),
            hashagg: flag("enable_hashagg"),
            nestloop: flag("enable_nestloop"),
            mergejoin: flag("enable_mergejoin"),
            hashjoin: flag("enable_hashjoin"),
            material: flag("enable_material"),
            memoize: flag("enable_memoize"),
            partition_pruning: flag("enable_partition_pruning"),
        }
    }

    /// Bytes a sort or hash may use.
    pub fn sort_mem(&self) -> f64 {
        self.work_mem * 1024.0
    }
    pub fn hash_mem(&self) -> f64 {
        self.work_mem * 1024.0 * self.hash_mem_multiplier
    }
}

-- Queries of the system views in pg_catalog: roles, relations, statistics of columns, settings, locks.
-- view pg_catalog.pg_roles
SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
       r.rolconnlimit, '********'::text AS rolpassword, r.rolvaliduntil, r.rolbypassrls, c.setconfig AS rolconfig, r.oid
FROM pg_authid r LEFT JOIN pg_db_role_setting c ON c.setrole = r.oid AND c.setdatabase = 0
-- view pg_catalog.pg_shadow
SELECT r.rolname AS usename, r.oid AS usesysid, r.rolcreatedb AS usecreatedb, r.rolsuper AS usesuper,
       r.rolreplication AS userepl, r.rolbypassrls AS usebypassrls, r.rolpassword AS passwd,
       r.rolvaliduntil AS valuntil, c.setconfig AS useconfig
FROM pg_authid r LEFT JOIN pg_db_role_setting c ON c.setrole = r.oid AND c.setdatabase = 0
WHERE r.rolcanlogin
-- view pg_catalog.pg_group
SELECT r.rolname AS groname, r.oid AS grosysid,
       ARRAY(SELECT m.member FROM pg_auth_members m WHERE m.roleid = r.oid) AS grolist
FROM pg_authid r WHERE NOT r.rolcanlogin
-- view pg_catalog.pg_user
SELECT usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, '********'::text AS passwd, valuntil, useconfig
FROM pg_shadow
-- view pg_catalog.pg_policies
SELECT n.nspname AS schemaname, c.relname AS tablename, p.polname AS policyname,
       CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END AS permissive,
       CASE WHEN p.polroles = '{0}'::oid[] THEN ARRAY['public'::name]
            ELSE ARRAY(SELECT r.rolname FROM pg_authid r WHERE r.oid = ANY (p.polroles) ORDER BY r.rolname) END AS roles,
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
            WHEN '*' THEN 'ALL' END AS cmd,
       pg_get_expr(p.polqual, p.polrelid) AS qual, pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
-- view pg_catalog.pg_rules
SELECT n.nspname AS schemaname, c.relname AS tablename, r.rulename, pg_get_ruledef(r.oid) AS definition
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN'::name
-- view pg_catalog.pg_views
SELECT n.nspname AS schemaname, c.relname AS viewname, pg_get_userbyid(c.relowner) AS viewowner,
       pg_get_viewdef(c.oid) AS definition
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v'
-- view pg_catalog.pg_tables
SELECT n.nspname AS schemaname, c.relname AS tablename, pg_get_userbyid(c.relowner) AS tableowner,
       t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relhasrules AS hasrules,
       c.relhastriggers AS hastriggers, c.relrowsecurity AS rowsecurity
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p')
-- view pg_catalog.pg_matviews
SELECT n.nspname AS schemaname, c.relname AS matviewname, pg_get_userbyid(c.relowner) AS matviewowner,
       t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relispopulated AS ispopulated,
       pg_get_viewdef(c.oid) AS definition
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
WHERE c.relkind = 'm'
-- view pg_catalog.pg_indexes
SELECT n.nspname AS schemaname, c.relname AS tablename, i.relname AS indexname, t.spcname AS tablespace,
       pg_get_indexdef(i.oid) AS indexdef
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = i.reltablespace
WHERE c.relkind IN ('r', 'm', 'p') AND i.relkind IN ('i', 'I')
-- view pg_catalog.pg_sequences
SELECT n.nspname AS schemaname, c.relname AS sequencename, pg_get_userbyid(c.relowner) AS sequenceowner,
       s.seqtypid::regtype AS data_type, s.seqstart AS start_value, s.seqmin AS min_value, s.seqmax AS max_value,
       s.seqincrement AS increment_by, s.seqcycle AS cycle, s.seqcache AS cache_size,
       pg_sequence_last_value(c.oid) AS last_value
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT pg_is_other_temp_schema(n.oid) AND c.relkind = 'S'
-- view pg_catalog.pg_stats
SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname, s.stainherit AS inherited, s.stanullfrac AS null_frac,
       s.stawidth AS avg_width, s.stadistinct AS n_distinct,
       CASE 1 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3
              WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END AS most_common_vals,
       CASE 1 WHEN s.stakind1 THEN s.stanumbers1 WHEN s.stakind2 THEN s.stanumbers2 WHEN s.stakind3 THEN s.stanumbers3
              WHEN s.stakind4 THEN s.stanumbers4 WHEN s.stakind5 THEN s.stanumbers5 END AS most_common_freqs,
       CASE 2 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3
              WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END AS histogram_bounds,
       CASE 3 WHEN s.stakind1 THEN s.stanumbers1[1] WHEN s.stakind2 THEN s.stanumbers2[1]
              WHEN s.stakind3 THEN s.stanumbers3[1] WHEN s.stakind4 THEN s.stanumbers4[1]
              WHEN s.stakind5 THEN s.stanumbers5[1] END AS correlation,
       CASE 4 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3
              WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END AS most_common_elems,
       CASE 4 WHEN s.stakind1 THEN s.stanumbers1 WHEN s.stakind2 THEN s.stanumbers2 WHEN s.stakind3 THEN s.stanumbers3
              WHEN s.stakind4 THEN s.stanumbers4 WHEN s.stakind5 THEN s.stanumbers5 END AS most_common_elem_freqs,
       CASE 5 WHEN s.stakind1 THEN s.stanumbers1 WHEN s.stakind2 THEN s.stanumbers2 WHEN s.stakind3 THEN s.stanumbers3
              WHEN s.stakind4 THEN s.stanumbers4 WHEN s.stakind5 THEN s.stanumbers5 END AS elem_count_histogram,
       CASE 6 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3
              WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END AS range_length_histogram,
       CASE 6 WHEN s.stakind1 THEN s.stanumbers1[1] WHEN s.stakind2 THEN s.stanumbers2[1]
              WHEN s.stakind3 THEN s.stanumbers3[1] WHEN s.stakind4 THEN s.stanumbers4[1]
              WHEN s.stakind5 THEN s.stanumbers5[1] END AS range_empty_frac,
       CASE 7 WHEN s.stakind1 THEN s.stavalues1 WHEN s.stakind2 THEN s.stavalues2 WHEN s.stakind3 THEN s.stavalues3
              WHEN s.stakind4 THEN s.stavalues4 WHEN s.stakind5 THEN s.stavalues5 END AS range_bounds_histogram
FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = s.staattnum
     LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'select')
      AND (NOT c.relrowsecurity OR NOT row_security_active(c.oid))
-- view pg_catalog.pg_stats_ext
SELECT cn.nspname AS schemaname, c.relname AS tablename, sn.nspname AS statistics_schemaname,
       s.stxname AS statistics_name, pg_get_userbyid(s.stxowner) AS statistics_owner,
       (SELECT array_agg(a.attname ORDER BY a.attnum) FROM unnest(s.stxkeys) k(num)
        JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = k.num) AS attnames,
       pg_get_statisticsobjdef_expressions(s.oid) AS exprs, s.stxkind AS kinds, sd.stxdinherit AS inherited,
       sd.stxdndistinct AS n_distinct, sd.stxddependencies AS dependencies, m.most_common_vals,
       m.most_common_val_nulls, m.most_common_freqs, m.most_common_base_freqs
FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid JOIN pg_statistic_ext_data sd ON sd.stxoid = s.oid
     LEFT JOIN pg_namespace cn ON cn.oid = c.relnamespace LEFT JOIN pg_namespace sn ON sn.oid = s.stxnamespace
     LEFT JOIN LATERAL (SELECT array_agg(i.values) AS most_common_vals, array_agg(i.nulls) AS most_common_val_nulls,
                               array_agg(i.frequency) AS most_common_freqs, array_agg(i.base_frequency) AS most_common_base_freqs
                        FROM pg_mcv_list_items(sd.stxdmcv) i) m ON sd.stxdmcv IS NOT NULL
WHERE pg_has_role(c.relowner, 'USAGE') AND (NOT c.relrowsecurity OR NOT row_security_active(c.oid))
-- view pg_catalog.pg_stats_ext_exprs
SELECT cn.nspname AS schemaname, c.relname AS tablename, sn.nspname AS statistics_schemaname,
       s.stxname AS statistics_name, pg_get_userbyid(s.stxowner) AS statistics_owner, e.expr, sd.stxdinherit AS inherited,
       (e.a).stanullfrac AS null_frac, (e.a).stawidth AS avg_width, (e.a).stadistinct AS n_distinct,
       CASE 1 WHEN (e.a).stakind1 THEN (e.a).stavalues1 WHEN (e.a).stakind2 THEN (e.a).stavalues2
              WHEN (e.a).stakind3 THEN (e.a).stavalues3 WHEN (e.a).stakind4 THEN (e.a).stavalues4
              WHEN (e.a).stakind5 THEN (e.a).stavalues5 END AS most_common_vals,
       CASE 1 WHEN (e.a).stakind1 THEN (e.a).stanumbers1 WHEN (e.a).stakind2 THEN (e.a).stanumbers2
              WHEN (e.a).stakind3 THEN (e.a).stanumbers3 WHEN (e.a).stakind4 THEN (e.a).stanumbers4
              WHEN (e.a).stakind5 THEN (e.a).stanumbers5 END AS most_common_freqs,
       CASE 2 WHEN (e.a).stakind1 THEN (e.a).stavalues1 WHEN (e.a).stakind2 THEN (e.a).stavalues2
              WHEN (e.a).stakind3 THEN (e.a).stavalues3 WHEN (e.a).stakind4 THEN (e.a).stavalues4
              WHEN (e.a).stakind5 THEN (e.a).stavalues5 END AS histogram_bounds,
       CASE 3 WHEN (e.a).stakind1 THEN (e.a).stanumbers1[1] WHEN (e.a).stakind2 THEN (e.a).stanumbers2[1]
              WHEN (e.a).stakind3 THEN (e.a).stanumbers3[1] WHEN (e.a).stakind4 THEN (e.a).stanumbers4[1]
              WHEN (e.a).stakind5 THEN (e.a).stanumbers5[1] END AS correlation,
       CASE 4 WHEN (e.a).stakind1 THEN (e.a).stavalues1 WHEN (e.a).stakind2 THEN (e.a).stavalues2
              WHEN (e.a).stakind3 THEN (e.a).stavalues3 WHEN (e.a).stakind4 THEN (e.a).stavalues4
              WHEN (e.a).stakind5 THEN (e.a).stavalues5 END AS most_common_elems,
       CASE 4 WHEN (e.a).stakind1 THEN (e.a).stanumbers1 WHEN (e.a).stakind2 THEN (e.a).stanumbers2
              WHEN (e.a).stakind3 THEN (e.a).stanumbers3 WHEN (e.a).stakind4 THEN (e.a).stanumbers4
              WHEN (e.a).stakind5 THEN (e.a).stanumbers5 END AS most_common_elem_freqs,
       CASE 5 WHEN (e.a).stakind1 THEN (e.a).stanumbers1 WHEN (e.a).stakind2 THEN (e.a).stanumbers2
              WHEN (e.a).stakind3 THEN (e.a).stanumbers3 WHEN (e.a).stakind4 THEN (e.a).stanumbers4
              WHEN (e.a).stakind5 THEN (e.a).stanumbers5 END AS elem_count_histogram
FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid LEFT JOIN pg_statistic_ext_data sd ON sd.stxoid = s.oid
     LEFT JOIN pg_namespace cn ON cn.oid = c.relnamespace LEFT JOIN pg_namespace sn ON sn.oid = s.stxnamespace
     JOIN LATERAL (SELECT unnest(pg_get_statisticsobjdef_expressions(s.oid)) AS expr, unnest(sd.stxdexpr) AS a) e
          ON e.expr IS NOT NULL
WHERE pg_has_role(c.relowner, 'USAGE') AND (NOT c.relrowsecurity OR NOT row_security_active(c.oid))
-- view pg_catalog.pg_publication_tables
SELECT p.pubname, n.nspname AS schemaname, c.relname AS tablename,
       (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = g.relid AND a.attnum = ANY (g.attrs)) AS attnames,
       pg_get_expr(g.qual, g.relid) AS rowfilter
FROM pg_publication p, LATERAL pg_get_publication_tables(p.pubname) g, pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = g.relid
-- view pg_catalog.pg_locks
SELECT locktype, database, relation, page, tuple, virtualxid, transactionid, classid, objid, objsubid,
       virtualtransaction, pid, mode, granted, fastpath, waitstart
FROM pg_lock_status()
-- view pg_catalog.pg_cursors
SELECT name, statement, is_holdable, is_binary, is_scrollable, creation_time FROM pg_cursor()
-- view pg_catalog.pg_available_extensions
SELECT a.name, a.default_version, e.extversion AS installed_version, a.comment
FROM pg_available_extensions() a LEFT JOIN pg_extension e ON e.extname = a.name
-- view pg_catalog.pg_available_extension_versions
SELECT a.name, a.version, e.oid IS NOT NULL AS installed, a.superuser, a.trusted, a.relocatable, a.schema, a.requires,
       a.comment
FROM pg_available_extension_versions() a LEFT JOIN pg_extension e ON e.extname = a.name AND e.extversion = a.version
-- view pg_catalog.pg_prepared_xacts
SELECT x.transaction, x.gid, x.prepared, r.rolname AS owner, d.datname AS database
FROM pg_prepared_xact() x LEFT JOIN pg_authid r ON r.oid = x.ownerid LEFT JOIN pg_database d ON d.oid = x.dbid
-- view pg_catalog.pg_prepared_statements
SELECT name, statement, prepare_time, parameter_types, result_types, from_sql, generic_plans, custom_plans
FROM pg_prepared_statement()
-- view pg_catalog.pg_seclabels
SELECT l.objoid, l.classoid, l.objsubid,
       CASE WHEN l.objsubid <> 0 THEN 'column'
            ELSE CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'
                 WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' END
       END AS objtype,
       c.relnamespace AS objnamespace,
       CASE WHEN pg_table_is_visible(c.oid) THEN quote_ident(c.relname)
            ELSE quote_ident(n.nspname) || '.' || quote_ident(c.relname) END
       || CASE WHEN l.objsubid <> 0 THEN '.' || quote_ident(a.attname) ELSE '' END AS objname,
       l.provider, l.label
FROM pg_seclabel l JOIN pg_class c ON l.classoid = 'pg_class'::regclass AND c.oid = l.objoid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = l.objsubid
UNION ALL
SELECT l.objoid, l.classoid, l.objsubid, i.type, NULL::oid, i.identity, l.provider, l.label
FROM pg_seclabel l, LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) i
WHERE l.classoid <> 'pg_class'::regclass
UNION ALL
SELECT l.objoid, l.classoid, 0, i.type, NULL::oid, i.identity, l.provider, l.label
FROM pg_shseclabel l, LATERAL pg_identify_object(l.classoid, l.objoid, 0) i
-- view pg_catalog.pg_settings
SELECT name, setting, unit, category, short_desc, extra_desc, context, vartype, source, min_val, max_val, enumvals,
       boot_val, reset_val, sourcefile, sourceline, pending_restart
FROM pg_show_all_settings()
-- view pg_catalog.pg_file_settings
SELECT sourcefile, sourceline, seqno, name, setting, applied, error FROM pg_show_all_file_settings()
-- view pg_catalog.pg_hba_file_rules
SELECT rule_number, file_name, line_number, type, database, user_name, address, netmask, auth_method, options, error
FROM pg_hba_file_rules()
-- view pg_catalog.pg_ident_file_mappings
SELECT map_number, file_name, line_number, map_name, sys_name, pg_username, error FROM pg_ident_file_mappings()
-- view pg_catalog.pg_timezone_abbrevs
SELECT abbrev, utc_offset, is_dst FROM pg_timezone_abbrevs_zone()
UNION ALL
SELECT a.abbrev, a.utc_offset, a.is_dst FROM pg_timezone_abbrevs_abbrevs() a
WHERE NOT EXISTS (SELECT 1 FROM pg_timezone_abbrevs_zone() z WHERE z.abbrev = a.abbrev)
-- view pg_catalog.pg_timezone_names
SELECT name, abbrev, utc_offset, is_dst FROM pg_timezone_names()
-- view pg_catalog.pg_config
SELECT name, setting FROM pg_config()
-- view pg_catalog.pg_shmem_allocations
SELECT name, off, size, allocated_size FROM pg_get_shmem_allocations()
-- view pg_catalog.pg_shmem_allocations_numa
SELECT name, numa_node, size FROM pg_get_shmem_allocations_numa()
-- view pg_catalog.pg_backend_memory_contexts
SELECT name, ident, type, level, path, total_bytes, total_nblocks, free_bytes, free_chunks, used_bytes
FROM pg_get_backend_memory_contexts()
-- view pg_catalog.pg_user_mappings
SELECT u.oid AS umid, s.oid AS srvid, s.srvname, u.umuser,
       CASE WHEN u.umuser = 0 THEN 'public'::name ELSE r.rolname END AS usename,
       CASE WHEN (u.umuser <> 0 AND r.rolname = CURRENT_USER
                  AND (pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(s.oid, 'USAGE')))
                 OR (u.umuser = 0 AND pg_has_role(s.srvowner, 'USAGE'))
                 OR (SELECT me.rolsuper FROM pg_authid me WHERE me.rolname = CURRENT_USER)
            THEN u.umoptions END AS umoptions
FROM pg_user_mapping u JOIN pg_foreign_server s ON s.oid = u.umserver LEFT JOIN pg_authid r ON r.oid = u.umuser
-- view pg_catalog.pg_replication_origin_status
SELECT local_id, external_id, remote_lsn, local_lsn FROM pg_show_replication_origin_status()
-- view pg_catalog.pg_wait_events
SELECT type, name, description FROM pg_get_wait_events()
-- view pg_catalog.pg_aios
SELECT pid, io_id, io_generation, state, operation, off, length, target, handle_data_len, raw_result, result,
       target_desc, f_sync, f_localmem, f_buffered
FROM pg_get_aios()

-- Queries of the cumulative statistics views, over the pg_stat_get functions.
-- view pg_catalog.pg_stat_all_tables
SELECT c.oid AS relid,
       n.nspname AS schemaname,
       c.relname,
       pg_stat_get_numscans(c.oid) AS seq_scan,
       pg_stat_get_lastscan(c.oid) AS last_seq_scan,
       pg_stat_get_tuples_returned(c.oid) AS seq_tup_read,
       (SELECT sum(pg_stat_get_numscans(x.indexrelid))::bigint FROM pg_index x WHERE x.indrelid = c.oid) AS idx_scan,
       (SELECT max(pg_stat_get_lastscan(x.indexrelid)) FROM pg_index x WHERE x.indrelid = c.oid) AS last_idx_scan,
       (SELECT sum(pg_stat_get_tuples_fetched(x.indexrelid))::bigint FROM pg_index x WHERE x.indrelid = c.oid)
           + pg_stat_get_tuples_fetched(c.oid) AS idx_tup_fetch,
       pg_stat_get_tuples_inserted(c.oid) AS n_tup_ins,
       pg_stat_get_tuples_updated(c.oid) AS n_tup_upd,
       pg_stat_get_tuples_deleted(c.oid) AS n_tup_del,
       pg_stat_get_tuples_hot_updated(c.oid) AS n_tup_hot_upd,
       pg_stat_get_tuples_newpage_updated(c.oid) AS n_tup_newpage_upd,
       pg_stat_get_live_tuples(c.oid) AS n_live_tup,
       pg_stat_get_dead_tuples(c.oid) AS n_dead_tup,
       pg_stat_get_mod_since_analyze(c.oid) AS n_mod_since_analyze,
       pg_stat_get_ins_since_vacuum(c.oid) AS n_ins_since_vacuum,
       pg_stat_get_last_vacuum_time(c.oid) AS last_vacuum,
       pg_stat_get_last_autovacuum_time(c.oid) AS last_autovacuum,
       pg_stat_get_last_analyze_time(c.oid) AS last_analyze,
       pg_stat_get_last_autoanalyze_time(c.oid) AS last_autoanalyze,
       pg_stat_get_vacuum_count(c.oid) AS vacuum_count,
       pg_stat_get_autovacuum_count(c.oid) AS autovacuum_count,
       pg_stat_get_analyze_count(c.oid) AS analyze_count,
       pg_stat_get_autoanalyze_count(c.oid) AS autoanalyze_count,
       pg_stat_get_total_vacuum_time(c.oid) AS total_vacuum_time,
       pg_stat_get_total_autovacuum_time(c.oid) AS total_autovacuum_time,
       pg_stat_get_total_analyze_time(c.oid) AS total_analyze_time,
       pg_stat_get_total_autoanalyze_time(c.oid) AS total_autoanalyze_time
FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 't', 'm', 'p')
-- view pg_catalog.pg_stat_xact_all_tables
SELECT c.oid AS relid,
       n.nspname AS schemaname,
       c.relname,
       pg_stat_get_xact_numscans(c.oid) AS seq_scan,
       pg_stat_get_xact_tuples_returned(c.oid) AS seq_tup_read,
       (SELECT sum(pg_stat_get_xact_numscans(x.indexrelid))::bigint FROM pg_index x WHERE x.indrelid = c.oid) AS idx_scan,
       (SELECT sum(pg_stat_get_xact_tuples_fetched(x.indexrelid))::bigint FROM pg_index x WHERE x.indrelid = c.oid)
           + pg_stat_get_xact_tuples_fetched(c.oid) AS idx_tup_fetch,
       pg_stat_get_xact_tuples_inserted(c.oid) AS n_tup_ins,
       pg_stat_get_xact_tuples_updated(c.oid) AS n_tup_upd,
       pg_stat_get_xact_tuples_deleted(c.oid) AS n_tup_del,
       pg_stat_get_xact_tuples_hot_updated(c.oid) AS n_tup_hot_upd,
       pg_stat_get_xact_tuples_newpage_updated(c.oid) AS n_tup_newpage_upd
FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 't', 'm', 'p')
-- view pg_catalog.pg_statio_all_tables
SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
       pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid) AS heap_blks_read,
       pg_stat_get_blocks_hit(c.oid) AS heap_blks_hit, i.idx_blks_read, i.idx_blks_hit,
       pg_stat_get_blocks_fetched(t.oid) - pg_stat_get_blocks_hit(t.oid) AS toast_blks_read,
       pg_stat_get_blocks_hit(t.oid) AS toast_blks_hit, x.idx_blks_read AS tidx_blks_read, x.idx_blks_hit AS tidx_blks_hit
FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN LATERAL (SELECT sum(pg_stat_get_blocks_fetched(indexrelid) - pg_stat_get_blocks_hit(indexrelid))::bigint AS idx_blks_read,
                               sum(pg_stat_get_blocks_hit(indexrelid))::bigint AS idx_blks_hit
                        FROM pg_index WHERE indrelid = c.oid) i ON true
     LEFT JOIN LATERAL (SELECT sum(pg_stat_get_blocks_fetched(indexrelid) - pg_stat_get_blocks_hit(indexrelid))::bigint AS idx_blks_read,
                               sum(pg_stat_get_blocks_hit(indexrelid))::bigint AS idx_blks_hit
                        FROM pg_index WHERE indrelid = t.oid) x ON true
WHERE c.relkind IN ('r', 't', 'm')
-- view pg_catalog.pg_stat_all_indexes
SELECT c.oid AS relid, i.oid AS indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname,
       pg_stat_get_numscans(i.oid) AS idx_scan, pg_stat_get_lastscan(i.oid) AS last_idx_scan,
       pg_stat_get_tuples_returned(i.oid) AS idx_tup_read, pg_stat_get_tuples_fetched(i.oid) AS idx_tup_fetch
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
     LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 't', 'm')
-- view pg_catalog.pg_statio_all_indexes
SELECT c.oid AS relid, i.oid AS indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname,
       pg_stat_get_blocks_fetched(i.oid) - pg_stat_get_blocks_hit(i.oid) AS idx_blks_read,
       pg_stat_get_blocks_hit(i.oid) AS idx_blks_hit
FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
     LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 't', 'm')
-- view pg_catalog.pg_statio_all_sequences
SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
       pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid) AS blks_read,
       pg_stat_get_blocks_hit(c.oid) AS blks_hit
FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S'
-- view pg_catalog.pg_stat_sys_tables
SELECT relid, schemaname, relname, seq_scan, last_seq_scan, seq_tup_read, idx_scan, last_idx_scan,
       idx_tup_fetch, n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd, n_tup_newpage_upd, n_live_tup, n_dead_tup,
       n_mod_since_analyze, n_ins_since_vacuum, last_vacuum, last_autovacuum, last_analyze, last_autoanalyze,
       vacuum_count, autovacuum_count, analyze_count, autoanalyze_count, total_vacuum_time,
       total_autovacuum_time, total_analyze_time, total_autoanalyze_time
FROM pg_stat_all_tables
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
-- view pg_catalog.pg_stat_user_tables
SELECT relid, schemaname, relname, seq_scan, last_seq_scan, seq_tup_read, idx_scan, last_idx_scan,
       idx_tup_fetch, n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd, n_tup_newpage_upd, n_live_tup, n_dead_tup,
       n_mod_since_analyze, n_ins_since_vacuum, last_vacuum, last_autovacuum, last_analyze, last_autoanalyze,
       vacuum_count, autovacuum_count, analyze_count, autoanalyze_count, total_vacuum_time,
       total_autovacuum_time, total_analyze_time, total_autoanalyze_time
FROM pg_stat_all_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
-- view pg_catalog.pg_stat_xact_sys_tables
SELECT relid, schemaname, relname, seq_scan, seq_tup_read, idx_scan, idx_tup_fetch, n_tup_ins, n_tup_upd,
       n_tup_del, n_tup_hot_upd, n_tup_newpage_upd
FROM pg_stat_xact_all_tables
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
-- view pg_catalog.pg_stat_xact_user_tables
SELECT relid, schemaname, relname, seq_scan, seq_tup_read, idx_scan, idx_tup_fetch, n_tup_ins, n_tup_upd,
       n_tup_del, n_tup_hot_upd, n_tup_newpage_upd
FROM pg_stat_xact_all_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
-- view pg_catalog.pg_statio_sys_tables
SELECT relid, schemaname, relname, heap_blks_read, heap_blks_hit, idx_blks_read, idx_blks_hit, toast_blks_read,
       toast_blks_hit, tidx_blks_read, tidx_blks_hit
FROM pg_statio_all_tables
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
-- view pg_catalog.pg_statio_user_tables
SELECT relid, schemaname, relname, heap_blks_read, heap_blks_hit, idx_blks_read, idx_blks_hit, toast_blks_read,
       toast_blks_hit, tidx_blks_read, tidx_blks_hit
FROM pg_statio_all_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
-- view pg_catalog.pg_stat_sys_indexes
SELECT relid, indexrelid, schemaname, relname, indexrelname, idx_scan, last_idx_scan, idx_tup_read,
       idx_tup_fetch
FROM pg_stat_all_indexes
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
-- view pg_catalog.pg_stat_user_indexes
SELECT relid, indexrelid, schemaname, relname, indexrelname, idx_scan, last_idx_scan, idx_tup_read,
       idx_tup_fetch
FROM pg_stat_all_indexes
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
-- view pg_catalog.pg_statio_sys_indexes
SELECT relid, indexrelid, schemaname, relname, indexrelname, idx_blks_read, idx_blks_hit
FROM pg_statio_all_indexes
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
-- view pg_catalog.pg_statio_user_indexes
SELECT relid, indexrelid, schemaname, relname, indexrelname, idx_blks_read, idx_blks_hit
FROM pg_statio_all_indexes
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
-- view pg_catalog.pg_statio_sys_sequences
SELECT relid, schemaname, relname, blks_read, blks_hit
FROM pg_statio_all_sequences
WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
-- view pg_catalog.pg_statio_user_sequences
SELECT relid, schemaname, relname, blks_read, blks_hit
FROM pg_statio_all_sequences
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
-- view pg_catalog.pg_stat_activity
SELECT s.datid, d.datname, s.pid, s.leader_pid, s.usesysid, u.rolname AS usename, s.application_name, s.client_addr,
       s.client_hostname, s.client_port, s.backend_start, s.xact_start, s.query_start, s.state_change,
       s.wait_event_type, s.wait_event, s.state, s.backend_xid, s.backend_xmin, s.query_id, s.query, s.backend_type
FROM pg_stat_get_activity(NULL) s LEFT JOIN pg_database d ON d.oid = s.datid LEFT JOIN pg_authid u ON u.oid = s.usesysid
-- view pg_catalog.pg_stat_replication
SELECT s.pid, s.usesysid, u.rolname AS usename, s.application_name, s.client_addr, s.client_hostname, s.client_port,
       s.backend_start, s.backend_xmin, w.state, w.sent_lsn, w.write_lsn, w.flush_lsn, w.replay_lsn, w.write_lag,
       w.flush_lag, w.replay_lag, w.sync_priority, w.sync_state, w.reply_time
FROM pg_stat_get_activity(NULL) s JOIN pg_stat_get_wal_senders() w ON w.pid = s.pid
     LEFT JOIN pg_authid u ON u.oid = s.usesysid
-- view pg_catalog.pg_stat_slru
SELECT name, blks_zeroed, blks_hit, blks_read, blks_written, blks_exists, flushes, truncates, stats_reset
FROM pg_stat_get_slru()
-- view pg_catalog.pg_stat_wal_receiver
SELECT pid, status, receive_start_lsn, receive_start_tli, written_lsn, flushed_lsn, received_tli,
       last_msg_send_time, last_msg_receipt_time, latest_end_lsn, latest_end_time, slot_name, sender_host,
       sender_port, conninfo
FROM pg_stat_get_wal_receiver()
WHERE pid IS NOT NULL
-- view pg_catalog.pg_stat_recovery_prefetch
SELECT stats_reset, prefetch, hit, skip_init, skip_new, skip_fpw, skip_rep, wal_distance, block_distance,
       io_depth
FROM pg_stat_get_recovery_prefetch()
-- view pg_catalog.pg_stat_subscription
SELECT u.oid AS subid, u.subname, t.worker_type, t.pid, t.leader_pid, t.relid, t.received_lsn, t.last_msg_send_time,
       t.last_msg_receipt_time, t.latest_end_lsn, t.latest_end_time
FROM pg_subscription u LEFT JOIN pg_stat_get_subscription(NULL) t ON t.subid = u.oid
-- view pg_catalog.pg_stat_ssl
SELECT pid, ssl, sslversion AS version, sslcipher AS cipher, sslbits AS bits, ssl_client_dn AS client_dn,
       ssl_client_serial AS client_serial, ssl_issuer_dn AS issuer_dn
FROM pg_stat_get_activity(NULL) WHERE client_port IS NOT NULL
-- view pg_catalog.pg_stat_gssapi
SELECT pid, gss_auth AS gss_authenticated, gss_princ AS principal, gss_enc AS encrypted,
       gss_delegation AS credentials_delegated
FROM pg_stat_get_activity(NULL) WHERE client_port IS NOT NULL
-- view pg_catalog.pg_replication_slots
SELECT l.slot_name, l.plugin, l.slot_type, l.datoid, d.datname AS database, l.temporary, l.active, l.active_pid, l.xmin,
       l.catalog_xmin, l.restart_lsn, l.confirmed_flush_lsn, l.wal_status, l.safe_wal_size, l.two_phase,
       l.two_phase_at, l.inactive_since, l.conflicting, l.invalidation_reason, l.failover, l.synced
FROM pg_get_replication_slots() l LEFT JOIN pg_database d ON d.oid = l.datoid
-- view pg_catalog.pg_stat_replication_slots
SELECT s.slot_name, s.spill_txns, s.spill_count, s.spill_bytes, s.stream_txns, s.stream_count, s.stream_bytes,
       s.total_txns, s.total_bytes, s.stats_reset
FROM pg_replication_slots r, LATERAL pg_stat_get_replication_slot(r.slot_name) s WHERE r.datoid IS NOT NULL
-- view pg_catalog.pg_stat_database
SELECT d.oid AS datid,
       d.datname,
       CASE WHEN d.oid = 0 THEN NULL ELSE pg_stat_get_db_numbackends(d.oid) END AS numbackends,
       pg_stat_get_db_xact_commit(d.oid) AS xact_commit,
       pg_stat_get_db_xact_rollback(d.oid) AS xact_rollback,
       pg_stat_get_db_blocks_fetched(d.oid) - pg_stat_get_db_blocks_hit(d.oid) AS blks_read,
       pg_stat_get_db_blocks_hit(d.oid) AS blks_hit,
       pg_stat_get_db_tuples_returned(d.oid) AS tup_returned,
       pg_stat_get_db_tuples_fetched(d.oid) AS tup_fetched,
       pg_stat_get_db_tuples_inserted(d.oid) AS tup_inserted,
       pg_stat_get_db_tuples_updated(d.oid) AS tup_updated,
       pg_stat_get_db_tuples_deleted(d.oid) AS tup_deleted,
       pg_stat_get_db_conflict_all(d.oid) AS conflicts,
       pg_stat_get_db_temp_files(d.oid) AS temp_files,
       pg_stat_get_db_temp_bytes(d.oid) AS temp_bytes,
       pg_stat_get_db_deadlocks(d.oid) AS deadlocks,
       pg_stat_get_db_checksum_failures(d.oid) AS checksum_failures,
       pg_stat_get_db_checksum_last_failure(d.oid) AS checksum_last_failure,
       pg_stat_get_db_blk_read_time(d.oid) AS blk_read_time,
       pg_stat_get_db_blk_write_time(d.oid) AS blk_write_time,
       pg_stat_get_db_session_time(d.oid) AS session_time,
       pg_stat_get_db_active_time(d.oid) AS active_time,
       pg_stat_get_db_idle_in_transaction_time(d.oid) AS idle_in_transaction_time,
       pg_stat_get_db_sessions(d.oid) AS sessions,
       pg_stat_get_db_sessions_abandoned(d.oid) AS sessions_abandoned,
       pg_stat_get_db_sessions_fatal(d.oid) AS sessions_fatal,
       pg_stat_get_db_sessions_killed(d.oid) AS sessions_killed,
       pg_stat_get_db_parallel_workers_to_launch(d.oid) AS parallel_workers_to_launch,
       pg_stat_get_db_parallel_workers_launched(d.oid) AS parallel_workers_launched,
       pg_stat_get_db_stat_reset_time(d.oid) AS stats_reset
FROM (SELECT 0::oid AS oid, NULL::name AS datname UNION ALL SELECT oid, datname FROM pg_database) d
-- view pg_catalog.pg_stat_database_conflicts
SELECT d.oid AS datid, d.datname, pg_stat_get_db_conflict_tablespace(d.oid) AS confl_tablespace,
       pg_stat_get_db_conflict_lock(d.oid) AS confl_lock, pg_stat_get_db_conflict_snapshot(d.oid) AS confl_snapshot,
       pg_stat_get_db_conflict_bufferpin(d.oid) AS confl_bufferpin,
       pg_stat_get_db_conflict_startup_deadlock(d.oid) AS confl_deadlock,
       pg_stat_get_db_conflict_logicalslot(d.oid) AS confl_active_logicalslot
FROM pg_database d
-- view pg_catalog.pg_stat_user_functions
SELECT p.oid AS funcid, n.nspname AS schemaname, p.proname AS funcname,
       pg_stat_get_function_calls(p.oid) AS calls, pg_stat_get_function_total_time(p.oid) AS total_time,
       pg_stat_get_function_self_time(p.oid) AS self_time
FROM pg_proc p LEFT JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prolang <> 12 AND pg_stat_get_function_calls(p.oid) IS NOT NULL
-- view pg_catalog.pg_stat_xact_user_functions
SELECT p.oid AS funcid, n.nspname AS schemaname, p.proname AS funcname,
       pg_stat_get_xact_function_calls(p.oid) AS calls, pg_stat_get_xact_function_total_time(p.oid) AS total_time,
       pg_stat_get_xact_function_self_time(p.oid) AS self_time
FROM pg_proc p LEFT JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prolang <> 12 AND pg_stat_get_xact_function_calls(p.oid) IS NOT NULL
-- view pg_catalog.pg_stat_archiver
SELECT archived_count, last_archived_wal, last_archived_time, failed_count, last_failed_wal, last_failed_time,
       stats_reset
FROM pg_stat_get_archiver()
-- view pg_catalog.pg_stat_bgwriter
SELECT pg_stat_get_bgwriter_buf_written_clean() AS buffers_clean,
       pg_stat_get_bgwriter_maxwritten_clean() AS maxwritten_clean, pg_stat_get_buf_alloc() AS buffers_alloc,
       pg_stat_get_bgwriter_stat_reset_time() AS stats_reset
-- view pg_catalog.pg_stat_checkpointer
SELECT pg_stat_get_checkpointer_num_timed() AS num_timed, pg_stat_get_checkpointer_num_requested() AS num_requested,
       pg_stat_get_checkpointer_num_performed() AS num_done,
       pg_stat_get_checkpointer_restartpoints_timed() AS restartpoints_timed,
       pg_stat_get_checkpointer_restartpoints_requested() AS restartpoints_req,
       pg_stat_get_checkpointer_restartpoints_performed() AS restartpoints_done,
       pg_stat_get_checkpointer_write_time() AS write_time, pg_stat_get_checkpointer_sync_time() AS sync_time,
       pg_stat_get_checkpointer_buffers_written() AS buffers_written,
       pg_stat_get_checkpointer_slru_written() AS slru_written,
       pg_stat_get_checkpointer_stat_reset_time() AS stats_reset
-- view pg_catalog.pg_stat_io
SELECT backend_type, object, context, reads, read_bytes, read_time, writes, write_bytes, write_time, writebacks,
       writeback_time, extends, extend_bytes, extend_time, hits, evictions, reuses, fsyncs, fsync_time,
       stats_reset
FROM pg_stat_get_io()
-- view pg_catalog.pg_stat_wal
SELECT wal_records, wal_fpi, wal_bytes, wal_buffers_full, stats_reset
FROM pg_stat_get_wal()
-- view pg_catalog.pg_stat_progress_analyze
SELECT p.pid, p.datid, d.datname, p.relid,
       CASE p.param1 WHEN 0 THEN 'initializing' WHEN 1 THEN 'acquiring sample rows' WHEN 2 THEN 'acquiring inherited sample rows' WHEN 3 THEN 'computing statistics' WHEN 4 THEN 'computing extended statistics' WHEN 5 THEN 'finalizing analyze' END AS phase,
       p.param2 AS sample_blks_total,
       p.param3 AS sample_blks_scanned,
       p.param4 AS ext_stats_total,
       p.param5 AS ext_stats_computed,
       p.param6 AS child_tables_total,
       p.param7 AS child_tables_done,
       p.param8::oid AS current_child_table_relid,
       p.param9 / 1000000.0::double precision AS delay_time
FROM pg_stat_get_progress_info('ANALYZE') p LEFT JOIN pg_database d ON d.oid = p.datid
-- view pg_catalog.pg_stat_progress_vacuum
SELECT p.pid, p.datid, d.datname, p.relid,
       CASE p.param1 WHEN 0 THEN 'initializing' WHEN 1 THEN 'scanning heap' WHEN 2 THEN 'vacuuming indexes' WHEN 3 THEN 'vacuuming heap' WHEN 4 THEN 'cleaning up indexes' WHEN 5 THEN 'truncating heap' WHEN 6 THEN 'performing final cleanup' END AS phase,
       p.param2 AS heap_blks_total,
       p.param3 AS heap_blks_scanned,
       p.param4 AS heap_blks_vacuumed,
       p.param5 AS index_vacuum_count,
       p.param6 AS max_dead_tuple_bytes,
       p.param7 AS dead_tuple_bytes,
       p.param8 AS num_dead_item_ids,
       p.param9 AS indexes_total,
       p.param10 AS indexes_processed,
       p.param11 / 1000000.0::double precision AS delay_time
FROM pg_stat_get_progress_info('VACUUM') p LEFT JOIN pg_database d ON d.oid = p.datid
-- view pg_catalog.pg_stat_progress_cluster
SELECT p.pid, p.datid, d.datname, p.relid,
       CASE p.param1 WHEN 1 THEN 'CLUSTER' WHEN 2 THEN 'VACUUM FULL' END AS command,
       CASE p.param2 WHEN 0 THEN 'initializing' WHEN 1 THEN 'seq scanning heap' WHEN 2 THEN 'index scanning heap' WHEN 3 THEN 'sorting tuples' WHEN 4 THEN 'writing new heap' WHEN 5 THEN 'swapping relation files' WHEN 6 THEN 'rebuilding index' WHEN 7 THEN 'performing final cleanup' END AS phase,
       p.param3::oid AS cluster_index_relid,
       p.param4 AS heap_tuples_scanned,
       p.param5 AS heap_tuples_written,
       p.param6 AS heap_blks_total,
       p.param7 AS heap_blks_scanned,
       p.param8 AS index_rebuild_count
FROM pg_stat_get_progress_info('CLUSTER') p LEFT JOIN pg_database d ON d.oid = p.datid
-- view pg_catalog.pg_stat_progress_create_index
SELECT p.pid, p.datid, d.datname, p.relid,
       p.param7::oid AS index_relid,
       CASE p.param1 WHEN 1 THEN 'CREATE INDEX' WHEN 2 THEN 'CREATE INDEX CONCURRENTLY' WHEN 3 THEN 'REINDEX' WHEN 4 THEN 'REINDEX CONCURRENTLY' END AS command,
       CASE p.param10 WHEN 0 THEN 'initializing' WHEN 1 THEN 'waiting for writers before build'
            WHEN 2 THEN 'building index' || COALESCE(': ' || pg_indexam_progress_phasename(p.param9::oid, p.param11), '')
            WHEN 3 THEN 'waiting for writers before validation' WHEN 4 THEN 'index validation: scanning index'
            WHEN 5 THEN 'index validation: sorting tuples' WHEN 6 THEN 'index validation: scanning table'
            WHEN 7 THEN 'waiting for old snapshots' WHEN 8 THEN 'waiting for readers before marking dead'
            WHEN 9 THEN 'waiting for readers before dropping' END AS phase,
       p.param4 AS lockers_total,
       p.param5 AS lockers_done,
       p.param6 AS current_locker_pid,
       p.param16 AS blocks_total,
       p.param17 AS blocks_done,
       p.param12 AS tuples_total,
       p.param13 AS tuples_done,
       p.param14 AS partitions_total,
       p.param15 AS partitions_done
FROM pg_stat_get_progress_info('CREATE INDEX') p LEFT JOIN pg_database d ON d.oid = p.datid
-- view pg_catalog.pg_stat_progress_basebackup
SELECT p.pid,
       CASE p.param1 WHEN 0 THEN 'initializing' WHEN 1 THEN 'waiting for checkpoint to finish' WHEN 2 THEN 'estimating backup size' WHEN 3 THEN 'streaming database files' WHEN 4 THEN 'waiting for wal archiving to finish' WHEN 5 THEN 'transferring wal files' END AS phase,
       nullif(p.param2, -1) AS backup_total,
       p.param3 AS backup_streamed,
       p.param4 AS tablespaces_total,
       p.param5 AS tablespaces_streamed
FROM pg_stat_get_progress_info('BASEBACKUP') p
-- view pg_catalog.pg_stat_progress_copy
SELECT p.pid, p.datid, d.datname, p.relid,
       CASE p.param5 WHEN 1 THEN 'COPY FROM' WHEN 2 THEN 'COPY TO' END AS command,
       CASE p.param6 WHEN 1 THEN 'FILE' WHEN 2 THEN 'PROGRAM' WHEN 3 THEN 'PIPE' WHEN 4 THEN 'CALLBACK' END AS type,
       p.param1 AS bytes_processed,
       p.param2 AS bytes_total,
       p.param3 AS tuples_processed,
       p.param4 AS tuples_excluded,
       p.param7 AS tuples_skipped
FROM pg_stat_get_progress_info('COPY') p LEFT JOIN pg_database d ON d.oid = p.datid
-- view pg_catalog.pg_stat_subscription_stats
SELECT s.subid, u.subname, s.apply_error_count, s.sync_error_count, s.confl_insert_exists,
       s.confl_update_origin_differs, s.confl_update_exists, s.confl_update_missing, s.confl_delete_origin_differs,
       s.confl_delete_missing, s.confl_multiple_unique_conflicts, s.stats_reset
FROM pg_subscription u, LATERAL pg_stat_get_subscription_stats(u.oid) s

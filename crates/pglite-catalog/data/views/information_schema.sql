-- Queries of information_schema. Helper functions and domains are written with their schema.
-- view information_schema.information_schema_catalog_name
SELECT (current_database())::information_schema.sql_identifier AS catalog_name
-- view information_schema.applicable_roles
SELECT (a.rolname)::information_schema.sql_identifier AS grantee, (b.rolname)::information_schema.sql_identifier AS role_name,
       (CASE WHEN m.admin_option THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_grantable
FROM (SELECT member, roleid, admin_option FROM pg_auth_members
      UNION
      SELECT d.datdba, o.oid, false FROM pg_database d, pg_authid o
      WHERE d.datname = current_database() AND o.rolname = 'pg_database_owner') m
     JOIN pg_authid a ON a.oid = m.member JOIN pg_authid b ON b.oid = m.roleid
WHERE pg_has_role(a.oid, 'USAGE')
-- view information_schema.administrable_role_authorizations
SELECT grantee, role_name, is_grantable FROM information_schema.applicable_roles WHERE is_grantable = 'YES'
-- view information_schema.attributes
SELECT (current_database())::information_schema.sql_identifier AS udt_catalog,
       (nc.nspname)::information_schema.sql_identifier AS udt_schema,
       (c.relname)::information_schema.sql_identifier AS udt_name,
       (a.attname)::information_schema.sql_identifier AS attribute_name,
       (a.attnum)::information_schema.cardinal_number AS ordinal_position,
       (pg_get_expr(ad.adbin, ad.adrelid))::information_schema.character_data AS attribute_default,
       (CASE WHEN NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_nullable,
       (CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
             WHEN nt.nspname = 'pg_catalog' THEN format_type(a.atttypid, NULL) ELSE 'USER-DEFINED' END)::information_schema.character_data AS data_type,
       (information_schema._pg_char_max_length(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS character_maximum_length,
       (information_schema._pg_char_octet_length(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS character_octet_length,
       (NULL)::information_schema.sql_identifier AS character_set_catalog,
       (NULL)::information_schema.sql_identifier AS character_set_schema,
       (NULL)::information_schema.sql_identifier AS character_set_name,
       (CASE WHEN nco.nspname IS NOT NULL THEN current_database() END)::information_schema.sql_identifier AS collation_catalog,
       (nco.nspname)::information_schema.sql_identifier AS collation_schema,
       (co.collname)::information_schema.sql_identifier AS collation_name,
       (information_schema._pg_numeric_precision(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS numeric_precision,
       (information_schema._pg_numeric_precision_radix(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS numeric_precision_radix,
       (information_schema._pg_numeric_scale(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS numeric_scale,
       (information_schema._pg_datetime_precision(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS datetime_precision,
       (information_schema._pg_interval_type(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.character_data AS interval_type,
       (NULL)::information_schema.cardinal_number AS interval_precision,
       (current_database())::information_schema.sql_identifier AS attribute_udt_catalog,
       (nt.nspname)::information_schema.sql_identifier AS attribute_udt_schema,
       (t.typname)::information_schema.sql_identifier AS attribute_udt_name,
       (NULL)::information_schema.sql_identifier AS scope_catalog,
       (NULL)::information_schema.sql_identifier AS scope_schema,
       (NULL)::information_schema.sql_identifier AS scope_name,
       (NULL)::information_schema.cardinal_number AS maximum_cardinality,
       (a.attnum)::information_schema.sql_identifier AS dtd_identifier,
       ('NO')::information_schema.yes_or_no AS is_derived_reference_attribute
FROM pg_attribute a LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
     JOIN (pg_class c JOIN pg_namespace nc ON nc.oid = c.relnamespace) ON c.oid = a.attrelid
     JOIN (pg_type t JOIN pg_namespace nt ON nt.oid = t.typnamespace) ON t.oid = a.atttypid
     LEFT JOIN (pg_collation co JOIN pg_namespace nco ON nco.oid = co.collnamespace)
          ON co.oid = a.attcollation AND (nco.nspname, co.collname) <> ('pg_catalog', 'default')
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'c'
      AND (pg_has_role(c.relowner, 'USAGE') OR has_type_privilege(c.reltype, 'USAGE'))
-- view information_schema.character_sets
SELECT (NULL)::information_schema.sql_identifier AS character_set_catalog,
       (NULL)::information_schema.sql_identifier AS character_set_schema,
       (getdatabaseencoding())::information_schema.sql_identifier AS character_set_name,
       (CASE WHEN getdatabaseencoding() = 'UTF8' THEN 'UCS' ELSE getdatabaseencoding() END)::information_schema.sql_identifier AS character_repertoire,
       (getdatabaseencoding())::information_schema.sql_identifier AS form_of_use,
       (current_database())::information_schema.sql_identifier AS default_collate_catalog,
       (nc.nspname)::information_schema.sql_identifier AS default_collate_schema,
       (c.collname)::information_schema.sql_identifier AS default_collate_name
FROM pg_database d LEFT JOIN (pg_collation c JOIN pg_namespace nc ON nc.oid = c.collnamespace)
          ON d.datcollate = c.collcollate AND d.datctype = c.collctype
WHERE d.datname = current_database()
ORDER BY char_length(c.collname) DESC, c.collname
LIMIT 1
-- view information_schema.check_constraint_routine_usage
SELECT DISTINCT (current_database())::information_schema.sql_identifier AS constraint_catalog,
       (nc.nspname)::information_schema.sql_identifier AS constraint_schema,
       (c.conname)::information_schema.sql_identifier AS constraint_name,
       (current_database())::information_schema.sql_identifier AS specific_catalog,
       (np.nspname)::information_schema.sql_identifier AS specific_schema,
       (nameconcatoid(p.proname, p.oid))::information_schema.sql_identifier AS specific_name
FROM pg_namespace nc JOIN pg_constraint c ON c.connamespace = nc.oid
     JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid
     JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
     JOIN pg_namespace np ON np.oid = p.pronamespace
WHERE c.contype = 'c' AND pg_has_role(p.proowner, 'USAGE')
-- view information_schema.check_constraints
SELECT (current_database())::information_schema.sql_identifier AS constraint_catalog,
       (rs.nspname)::information_schema.sql_identifier AS constraint_schema,
       (con.conname)::information_schema.sql_identifier AS constraint_name,
       (CASE con.contype WHEN 'c' THEN pg_get_expr(con.conbin, coalesce(c.oid, 0))
             WHEN 'n' THEN format('%s IS NOT NULL', coalesce(at.attname, 'VALUE')) END)::information_schema.character_data AS check_clause
FROM pg_constraint con LEFT JOIN pg_namespace rs ON rs.oid = con.connamespace
     LEFT JOIN pg_class c ON c.oid = con.conrelid LEFT JOIN pg_type t ON t.oid = con.contypid
     LEFT JOIN pg_attribute at ON at.attrelid = con.conrelid AND at.attnum = con.conkey[1]
WHERE pg_has_role(coalesce(c.relowner, t.typowner), 'USAGE') AND con.contype IN ('c', 'n')
-- view information_schema.collations
SELECT (current_database())::information_schema.sql_identifier AS collation_catalog,
       (nc.nspname)::information_schema.sql_identifier AS collation_schema,
       (c.collname)::information_schema.sql_identifier AS collation_name,
       ('NO PAD')::information_schema.character_data AS pad_attribute
FROM pg_collation c JOIN pg_namespace nc ON nc.oid = c.collnamespace
WHERE c.collencoding IN (-1, (SELECT d.encoding FROM pg_database d WHERE d.datname = current_database()))
-- view information_schema.collation_character_set_applicability
SELECT (current_database())::information_schema.sql_identifier AS collation_catalog,
       (nc.nspname)::information_schema.sql_identifier AS collation_schema,
       (c.collname)::information_schema.sql_identifier AS collation_name,
       (NULL)::information_schema.sql_identifier AS character_set_catalog,
       (NULL)::information_schema.sql_identifier AS character_set_schema,
       (getdatabaseencoding())::information_schema.sql_identifier AS character_set_name
FROM pg_collation c JOIN pg_namespace nc ON nc.oid = c.collnamespace
WHERE c.collencoding IN (-1, (SELECT d.encoding FROM pg_database d WHERE d.datname = current_database()))
-- view information_schema.column_column_usage
SELECT DISTINCT (current_database())::information_schema.sql_identifier AS table_catalog,
       (n.nspname)::information_schema.sql_identifier AS table_schema,
       (c.relname)::information_schema.sql_identifier AS table_name,
       (ac.attname)::information_schema.sql_identifier AS column_name,
       (ad.attname)::information_schema.sql_identifier AS dependent_column
FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
     JOIN pg_depend d ON d.refobjid = c.oid AND d.refclassid = 'pg_class'::regclass
     JOIN pg_attribute ac ON ac.attrelid = c.oid AND ac.attnum = d.refobjsubid
     JOIN pg_attrdef x ON x.oid = d.objid AND d.classid = 'pg_attrdef'::regclass AND x.adrelid = c.oid
     JOIN pg_attribute ad ON ad.attrelid = c.oid AND ad.attnum = x.adnum
WHERE ac.attnum <> ad.attnum AND ad.attgenerated <> '' AND c.relkind IN ('r', 'v', 'f', 'p')
      AND pg_has_role(c.relowner, 'USAGE')
-- view information_schema.column_domain_usage
SELECT (current_database())::information_schema.sql_identifier AS domain_catalog,
       (nt.nspname)::information_schema.sql_identifier AS domain_schema,
       (t.typname)::information_schema.sql_identifier AS domain_name,
       (current_database())::information_schema.sql_identifier AS table_catalog,
       (nc.nspname)::information_schema.sql_identifier AS table_schema,
       (c.relname)::information_schema.sql_identifier AS table_name,
       (a.attname)::information_schema.sql_identifier AS column_name
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace nc ON nc.oid = c.relnamespace
     JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace nt ON nt.oid = t.typnamespace
WHERE t.typtype = 'd' AND c.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND pg_has_role(t.typowner, 'USAGE')
-- view information_schema.column_privileges
SELECT (u_grantor.rolname)::information_schema.sql_identifier AS grantor,
       (grantee.rolname)::information_schema.sql_identifier AS grantee,
       (current_database())::information_schema.sql_identifier AS table_catalog,
       (nc.nspname)::information_schema.sql_identifier AS table_schema,
       (x.relname)::information_schema.sql_identifier AS table_name,
       (x.attname)::information_schema.sql_identifier AS column_name,
       (x.prtype)::information_schema.character_data AS privilege_type,
       (CASE WHEN pg_has_role(x.grantee, x.relowner, 'USAGE') OR x.grantable THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_grantable
FROM (SELECT c.oid AS relid, c.relname, c.relnamespace, c.relowner, a.attname, acl.grantor, acl.grantee, acl.privilege_type AS prtype, acl.is_grantable AS grantable
      FROM pg_class c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) acl
           JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped
      UNION
      SELECT c.oid, c.relname, c.relnamespace, c.relowner, a.attname, acl.grantor, acl.grantee, acl.privilege_type, acl.is_grantable
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
           CROSS JOIN LATERAL aclexplode(coalesce(a.attacl, acldefault('c', c.relowner))) acl
      WHERE c.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped) x
     JOIN pg_namespace nc ON nc.oid = x.relnamespace JOIN pg_authid u_grantor ON u_grantor.oid = x.grantor
     JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = x.grantee
WHERE x.prtype IN ('INSERT', 'SELECT', 'UPDATE', 'REFERENCES')
      AND (pg_has_role(u_grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
-- view information_schema.column_udt_usage
SELECT (current_database())::information_schema.sql_identifier AS udt_catalog,
       (coalesce(nbt.nspname, nt.nspname))::information_schema.sql_identifier AS udt_schema,
       (coalesce(bt.typname, t.typname))::information_schema.sql_identifier AS udt_name,
       (current_database())::information_schema.sql_identifier AS table_catalog,
       (nc.nspname)::information_schema.sql_identifier AS table_schema,
       (c.relname)::information_schema.sql_identifier AS table_name,
       (a.attname)::information_schema.sql_identifier AS column_name
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace nc ON nc.oid = c.relnamespace
     JOIN (pg_type t JOIN pg_namespace nt ON nt.oid = t.typnamespace) ON t.oid = a.atttypid
     LEFT JOIN (pg_type bt JOIN pg_namespace nbt ON nbt.oid = bt.typnamespace) ON t.typtype = 'd' AND bt.oid = t.typbasetype
WHERE pg_has_role(coalesce(bt.typowner, t.typowner), 'USAGE') AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p')
-- view information_schema.columns
SELECT (current_database())::information_schema.sql_identifier AS table_catalog,
       (nc.nspname)::information_schema.sql_identifier AS table_schema,
       (c.relname)::information_schema.sql_identifier AS table_name,
       (a.attname)::information_schema.sql_identifier AS column_name,
       (a.attnum)::information_schema.cardinal_number AS ordinal_position,
       (CASE WHEN a.attgenerated = '' THEN pg_get_expr(ad.adbin, ad.adrelid) END)::information_schema.character_data AS column_default,
       (CASE WHEN NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_nullable,
       (CASE WHEN t.typtype = 'd' THEN
               CASE WHEN bt.typelem <> 0 AND bt.typlen = -1 THEN 'ARRAY'
                    WHEN nbt.nspname = 'pg_catalog' THEN format_type(t.typbasetype, NULL) ELSE 'USER-DEFINED' END
             ELSE
               CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
                    WHEN nt.nspname = 'pg_catalog' THEN format_type(a.atttypid, NULL) ELSE 'USER-DEFINED' END
             END)::information_schema.character_data AS data_type,
       (information_schema._pg_char_max_length(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS character_maximum_length,
       (information_schema._pg_char_octet_length(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS character_octet_length,
       (information_schema._pg_numeric_precision(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS numeric_precision,
       (information_schema._pg_numeric_precision_radix(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS numeric_precision_radix,
       (information_schema._pg_numeric_scale(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS numeric_scale,
       (information_schema._pg_datetime_precision(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.cardinal_number AS datetime_precision,
       (information_schema._pg_interval_type(information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)))::information_schema.character_data AS interval_type,
       (NULL)::information_schema.cardinal_number AS interval_precision,
       (NULL)::information_schema.sql_identifier AS character_set_catalog,
       (NULL)::information_schema.sql_identifier AS character_set_schema,
       (NULL)::information_schema.sql_identifier AS character_set_name,
       (CASE WHEN nco.nspname IS NOT NULL THEN current_database() END)::information_schema.sql_identifier AS collation_catalog,
       (nco.nspname)::information_schema.sql_identifier AS collation_schema,
       (co.collname)::information_schema.sql_identifier AS collation_name,
       (CASE WHEN t.typtype = 'd' THEN current_database() END)::information_schema.sql_identifier AS domain_catalog,
       (CASE WHEN t.typtype = 'd' THEN nt.nspname END)::information_schema.sql_identifier AS domain_schema,
       (CASE WHEN t.typtype = 'd' THEN t.typname END)::information_schema.sql_identifier AS domain_name,
       (current_database())::information_schema.sql_identifier AS udt_catalog,
       (coalesce(nbt.nspname, nt.nspname))::information_schema.sql_identifier AS udt_schema,
       (coalesce(bt.typname, t.typname))::information_schema.sql_identifier AS udt_name,
       (NULL)::information_schema.sql_identifier AS scope_catalog,
       (NULL)::information_schema.sql_identifier AS scope_schema,
       (NULL)::information_schema.sql_identifier AS scope_name,
       (NULL)::information_schema.cardinal_number AS maximum_cardinality,
       (a.attnum)::information_schema.sql_identifier AS dtd_identifier,
       ('NO')::information_schema.yes_or_no AS is_self_referencing,
       (CASE WHEN a.attidentity IN ('a', 'd') THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_identity,
       (CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END)::information_schema.character_data AS identity_generation,
       (seq.seqstart)::information_schema.character_data AS identity_start,
       (seq.seqincrement)::information_schema.character_data AS identity_increment,
       (seq.seqmax)::information_schema.character_data AS identity_maximum,
       (seq.seqmin)::information_schema.character_data AS identity_minimum,
       (CASE WHEN seq.seqcycle THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS identity_cycle,
       (CASE WHEN a.attgenerated <> '' THEN 'ALWAYS' ELSE 'NEVER' END)::information_schema.character_data AS is_generated,
       (CASE WHEN a.attgenerated <> '' THEN pg_get_expr(ad.adbin, ad.adrelid) END)::information_schema.character_data AS generation_expression,
       (CASE WHEN c.relkind IN ('r', 'p') OR (c.relkind IN ('v', 'f') AND pg_column_is_updatable(c.oid, a.attnum, false)) THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_updatable
FROM pg_attribute a LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
     JOIN (pg_class c JOIN pg_namespace nc ON nc.oid = c.relnamespace) ON c.oid = a.attrelid
     JOIN (pg_type t JOIN pg_namespace nt ON nt.oid = t.typnamespace) ON t.oid = a.atttypid
     LEFT JOIN (pg_type bt JOIN pg_namespace nbt ON nbt.oid = bt.typnamespace) ON t.typtype = 'd' AND bt.oid = t.typbasetype
     LEFT JOIN (pg_collation co JOIN pg_namespace nco ON nco.oid = co.collnamespace)
          ON co.oid = a.attcollation AND (nco.nspname, co.collname) <> ('pg_catalog', 'default')
     LEFT JOIN (pg_depend dep JOIN pg_sequence seq ON dep.classid = 'pg_class'::regclass AND dep.objid = seq.seqrelid
                                                     AND dep.deptype = 'i')
          ON dep.refclassid = 'pg_class'::regclass AND dep.refobjid = a.attrelid AND dep.refobjsubid = a.attnum
WHERE NOT pg_is_other_temp_schema(nc.oid) AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p')
      AND (pg_has_role(c.relowner, 'USAGE') OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))
-- view information_schema.constraint_column_usage
SELECT (current_database())::information_schema.sql_identifier AS table_catalog,
       (x.tblschema)::information_schema.sql_identifier AS table_schema,
       (x.tblname)::information_schema.sql_identifier AS table_name,
       (x.colname)::information_schema.sql_identifier AS column_name,
       (current_database())::information_schema.sql_identifier AS constraint_catalog,
       (x.cstrschema)::information_schema.sql_identifier AS constraint_schema,
       (x.cstrname)::information_schema.sql_identifier AS constraint_name
FROM (SELECT DISTINCT nr.nspname, r.relname, r.relowner, a.attname, nc.nspname, c.conname
      FROM pg_namespace nr JOIN pg_class r ON r.relnamespace = nr.oid JOIN pg_attribute a ON a.attrelid = r.oid
           JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
           JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid
           JOIN pg_namespace nc ON nc.oid = c.connamespace
      WHERE c.contype = 'c' AND r.relkind IN ('r', 'p') AND NOT a.attisdropped
      UNION ALL
      SELECT nr.nspname, r.relname, r.relowner, a.attname, nc.nspname, c.conname
      FROM pg_namespace nr JOIN pg_class r ON r.relnamespace = nr.oid JOIN pg_attribute a ON a.attrelid = r.oid
           JOIN pg_constraint c ON r.oid = CASE c.contype WHEN 'f' THEN c.confrelid ELSE c.conrelid END
                AND a.attnum = ANY (CASE c.contype WHEN 'f' THEN c.confkey ELSE c.conkey END)
           JOIN pg_namespace nc ON nc.oid = c.connamespace
      WHERE NOT a.attisdropped AND c.contype IN ('p', 'u', 'f', 'n') AND r.relkind IN ('r', 'p'))
     x(tblschema, tblname, tblowner, colname, cstrschema, cstrname)
WHERE pg_has_role(x.tblowner, 'USAGE')
-- view information_schema.constraint_table_usage
SELECT (current_database())::information_schema.sql_identifier AS table_catalog,
       (nr.nspname)::information_schema.sql_identifier AS table_schema,
       (r.relname)::information_schema.sql_identifier AS table_name,
       (current_database())::information_schema.sql_identifier AS constraint_catalog,
       (nc.nspname)::information_schema.sql_identifier AS constraint_schema,
       (c.conname)::information_schema.sql_identifier AS constraint_name
FROM pg_constraint c JOIN pg_namespace nc ON nc.oid = c.connamespace
     JOIN pg_class r ON r.oid = CASE c.contype WHEN 'f' THEN c.confrelid ELSE c.conrelid END
     JOIN pg_namespace nr ON nr.oid = r.relnamespace
WHERE c.contype IN ('f', 'p', 'u') AND r.relkind IN ('r', 'p') AND pg_has_role(r.relowner, 'USAGE')
-- view information_schema.domain_constraints
SELECT (current_database())::information_schema.sql_identifier AS constraint_catalog,
       (rs.nspname)::information_schema.sql_identifier AS constraint_schema,
       (con.conname)::information_schema.sql_identifier AS constraint_name,
       (current_database())::information_schema.sql_identifier AS domain_catalog,
       (n.nspname)::information_schema.sql_identifier AS domain_schema,
       (t.typname)::information_schema.sql_identifier AS domain_name,
       (CASE WHEN con.condeferrable THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_deferrable,
       (CASE WHEN con.condeferred THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS initially_deferred
FROM pg_namespace rs JOIN pg_constraint con ON rs.oid = con.connamespace JOIN pg_type t ON t.oid = con.contypid
     JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE')
-- view information_schema.domain_udt_usage
SELECT (current_database())::information_schema.sql_identifier AS udt_catalog,
       (nbt.nspname)::information_schema.sql_identifier AS udt_schema,
       (bt.typname)::information_schema.sql_identifier AS udt_name,
       (current_database())::information_schema.sql_identifier AS domain_catalog,
       (nt.nspname)::information_schema.sql_identifier AS domain_schema,
       (t.typname)::information_schema.sql_identifier AS domain_name
FROM pg_type t JOIN pg_namespace nt ON nt.oid = t.typnamespace
     JOIN (pg_type bt JOIN pg_namespace nbt ON nbt.oid = bt.typnamespace) ON bt.oid = t.typbasetype
WHERE t.typtype = 'd' AND pg_has_role(bt.typowner, 'USAGE')
-- view information_schema.domains
SELECT (current_database())::information_schema.sql_identifier AS domain_catalog,
       (nt.nspname)::information_schema.sql_identifier AS domain_schema,
       (t.typname)::information_schema.sql_identifier AS domain_name,
       (CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
             WHEN nbt.nspname = 'pg_catalog' THEN format_type(t.typbasetype, NULL) ELSE 'USER-DEFINED' END)::information_schema.character_data AS data_type,
       (information_schema._pg_char_max_length(t.typbasetype, t.typtypmod))::information_schema.cardinal_number AS character_maximum_length,
       (information_schema._pg_char_octet_length(t.typbasetype, t.typtypmod))::information_schema.cardinal_number AS character_octet_length,
       (NULL)::information_schema.sql_identifier AS character_set_catalog,
       (NULL)::information_schema.sql_identifier AS character_set_schema,
       (NULL)::information_schema.sql_identifier AS character_set_name,
       (CASE WHEN nco.nspname IS NOT NULL THEN current_database() END)::information_schema.sql_identifier AS collation_catalog,
       (nco.nspname)::information_schema.sql_identifier AS collation_schema,
       (co.collname)::information_schema.sql_identifier AS collation_name,
       (information_schema._pg_numeric_precision(t.typbasetype, t.typtypmod))::information_schema.cardinal_number AS numeric_precision,
       (information_schema._pg_numeric_precision_radix(t.typbasetype, t.typtypmod))::information_schema.cardinal_number AS numeric_precision_radix,
       (information_schema._pg_numeric_scale(t.typbasetype, t.typtypmod))::information_schema.cardinal_number AS numeric_scale,
       (information_schema._pg_datetime_precision(t.typbasetype, t.typtypmod))::information_schema.cardinal_number AS datetime_precision,
       (information_schema._pg_interval_type(t.typbasetype, t.typtypmod))::information_schema.character_data AS interval_type,
       (NULL)::information_schema.cardinal_number AS interval_precision,
       (t.typdefault)::information_schema.character_data AS domain_default,
       (current_database())::information_schema.sql_identifier AS udt_catalog,
       (nbt.nspname)::information_schema.sql_identifier AS udt_schema,
       (bt.typname)::information_schema.sql_identifier AS udt_name,
       (NULL)::information_schema.sql_identifier AS scope_catalog,
       (NULL)::information_schema.sql_identifier AS scope_schema,
       (NULL)::information_schema.sql_identifier AS scope_name,
       (NULL)::information_schema.cardinal_number AS maximum_cardinality,
       (1)::information_schema.sql_identifier AS dtd_identifier
FROM (pg_type t JOIN pg_namespace nt ON nt.oid = t.typnamespace)
     JOIN (pg_type bt JOIN pg_namespace nbt ON nbt.oid = bt.typnamespace) ON bt.oid = t.typbasetype AND t.typtype = 'd'
     LEFT JOIN (pg_collation co JOIN pg_namespace nco ON nco.oid = co.collnamespace)
          ON co.oid = t.typcollation AND (nco.nspname, co.collname) <> ('pg_catalog', 'default')
WHERE pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE')
-- view information_schema.enabled_roles
SELECT (a.rolname)::information_schema.sql_identifier AS role_name FROM pg_authid a WHERE pg_has_role(a.oid, 'USAGE')
-- view information_schema.key_column_usage
SELECT (current_database())::information_schema.sql_identifier AS constraint_catalog,
       (ss.nc_nspname)::information_schema.sql_identifier AS constraint_schema,
       (ss.conname)::information_schema.sql_identifier AS constraint_name,
       (current_database())::information_schema.sql_identifier AS table_catalog,
       (ss.nr_nspname)::information_schema.sql_identifier AS table_schema,
       (ss.relname)::information_schema.sql_identifier AS table_name,
       (a.attname)::information_schema.sql_identifier AS column_name,
       ((ss.x).n)::information_schema.cardinal_number AS ordinal_position,
       (CASE WHEN ss.contype = 'f' THEN information_schema._pg_index_position(ss.conindid, ss.confkey[(ss.x).n]) END)::information_schema.cardinal_number AS position_in_unique_constraint
FROM pg_attribute a,
     (SELECT r.oid AS roid, r.relname, r.relowner, nc.nspname AS nc_nspname, nr.nspname AS nr_nspname, c.oid AS coid, c.conname,
             c.contype, c.conindid, c.confkey, c.confrelid, information_schema._pg_expandarray(c.conkey) AS x
      FROM pg_namespace nr JOIN pg_class r ON nr.oid = r.relnamespace JOIN pg_constraint c ON r.oid = c.conrelid
           JOIN pg_namespace nc ON nc.oid = c.connamespace
      WHERE c.contype IN ('p', 'u', 'f') AND r.relkind IN ('r', 'p') AND NOT pg_is_other_temp_schema(nr.oid)) ss
WHERE ss.roid = a.attrelid AND a.attnum = (ss.x).x AND NOT a.attisdropped
      AND (pg_has_role(ss.relowner, 'USAGE') OR has_column_privilege(ss.roid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))
-- view information_schema.parameters
SELECT (current_database())::information_schema.sql_identifier AS specific_catalog,
       (ss.n_nspname)::information_schema.sql_identifier AS specific_schema,
       (nameconcatoid(ss.proname, ss.p_oid))::information_schema.sql_identifier AS specific_name,
       ((ss.x).n)::information_schema.cardinal_number AS ordinal_position,
       (CASE WHEN ss.proargmodes IS NULL THEN 'IN'
             ELSE CASE ss.proargmodes[(ss.x).n] WHEN 'i' THEN 'IN' WHEN 'o' THEN 'OUT' WHEN 'b' THEN 'INOUT' WHEN 'v' THEN 'IN'
                  WHEN 't' THEN 'OUT' END END)::information_schema.character_data AS parameter_mode,
       ('NO')::information_schema.yes_or_no AS is_result,
       ('NO')::information_schema.yes_or_no AS as_locator,
       (nullif(ss.proargnames[(ss.x).n], ''))::information_schema.sql_identifier AS parameter_name,
       (CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
             WHEN nt.nspname = 'pg_catalog' THEN format_type(t.oid, NULL) ELSE 'USER-DEFINED' END)::information_schema.character_data AS data_type,
       (NULL)::information_schema.cardinal_number AS character_maximum_length,
       (NULL)::information_schema.cardinal_number AS character_octet_length,
       (NULL)::information_schema.sql_identifier AS character_set_catalog,
       (NULL)::information_schema.sql_identifier AS character_set_schema,
       (NULL)::information_schema.sql_identifier AS character_set_name,
       (NULL)::information_schema.sql_identifier AS collation_catalog,
       (NULL)::information_schema.sql_identifier AS collation_schema,
       (NULL)::information_schema.sql_identifier AS collation_name,
       (NULL)::information_schema.cardinal_number AS numeric_precision,
       (NULL)::information_schema.cardinal_number AS numeric_precision_radix,
       (NULL)::information_schema.cardinal_number AS numeric_scale,
       (NULL)::information_schema.cardinal_number AS datetime_precision,
       (NULL)::information_schema.character_data AS interval_type,
       (NULL)::information_schema.cardinal_number AS interval_precision,
       (current_database())::information_schema.sql_identifier AS udt_catalog,
       (nt.nspname)::information_schema.sql_identifier AS udt_schema,
       (t.typname)::information_schema.sql_identifier AS udt_name,
       (NULL)::information_schema.sql_identifier AS scope_catalog,
       (NULL)::information_schema.sql_identifier AS scope_schema,
       (NULL)::information_schema.sql_identifier AS scope_name,
       (NULL)::information_schema.cardinal_number AS maximum_cardinality,
       ((ss.x).n)::information_schema.sql_identifier AS dtd_identifier,
       (CASE WHEN pg_has_role(ss.proowner, 'USAGE') THEN pg_get_function_arg_default(ss.p_oid, (ss.x).n) END)::information_schema.character_data AS parameter_default
FROM pg_type t JOIN pg_namespace nt ON nt.oid = t.typnamespace,
     (SELECT n.nspname AS n_nspname, p.proname, p.oid AS p_oid, p.proowner, p.proargnames, p.proargmodes,
             information_schema._pg_expandarray(coalesce(p.proallargtypes, p.proargtypes::oid[])) AS x
      FROM pg_namespace n JOIN pg_proc p ON n.oid = p.pronamespace
      WHERE pg_has_role(p.proowner, 'USAGE') OR has_function_privilege(p.oid, 'EXECUTE')) ss
WHERE t.oid = (ss.x).x
-- view information_schema.referential_constraints
SELECT (current_database())::information_schema.sql_identifier AS constraint_catalog,
       (ncon.nspname)::information_schema.sql_identifier AS constraint_schema,
       (con.conname)::information_schema.sql_identifier AS constraint_name,
       (CASE WHEN npkc.nspname IS NOT NULL THEN current_database() END)::information_schema.sql_identifier AS unique_constraint_catalog,
       (npkc.nspname)::information_schema.sql_identifier AS unique_constraint_schema,
       (pkc.conname)::information_schema.sql_identifier AS unique_constraint_name,
       (CASE con.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' WHEN 's' THEN 'NONE' END)::information_schema.character_data AS match_option,
       (CASE con.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT'
             WHEN 'a' THEN 'NO ACTION' END)::information_schema.character_data AS update_rule,
       (CASE con.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT'
             WHEN 'a' THEN 'NO ACTION' END)::information_schema.character_data AS delete_rule
FROM pg_namespace ncon JOIN pg_constraint con ON ncon.oid = con.connamespace
     JOIN pg_class c ON con.conrelid = c.oid AND con.contype = 'f'
     LEFT JOIN pg_depend d1 ON d1.objid = con.oid AND d1.classid = 'pg_constraint'::regclass
                               AND d1.refclassid = 'pg_class'::regclass AND d1.refobjsubid = 0
     LEFT JOIN pg_depend d2 ON d2.refclassid = 'pg_constraint'::regclass AND d2.classid = 'pg_class'::regclass
                               AND d2.objid = d1.refobjid AND d2.objsubid = 0 AND d2.deptype = 'i'
     LEFT JOIN pg_constraint pkc ON pkc.oid = d2.refobjid AND pkc.contype IN ('p', 'u') AND pkc.conrelid = con.confrelid
     LEFT JOIN pg_namespace npkc ON pkc.connamespace = npkc.oid
WHERE pg_has_role(c.relowner, 'USAGE') OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
      OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES')
-- view information_schema.role_column_grants
SELECT grantor, grantee, table_catalog, table_schema, table_name, column_name, privilege_type, is_grantable
FROM information_schema.column_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
      OR grantee IN (SELECT role_name FROM information_schema.enabled_roles)
-- view information_schema.routine_column_usage
SELECT DISTINCT (current_database())::information_schema.sql_identifier AS specific_catalog,
       (np.nspname)::information_schema.sql_identifier AS specific_schema,
       (nameconcatoid(p.proname, p.oid))::information_schema.sql_identifier AS specific_name,
       (current_database())::information_schema.sql_identifier AS routine_catalog,
       (np.nspname)::information_schema.sql_identifier AS routine_schema,
       (p.proname)::information_schema.sql_identifier AS routine_name,
       (current_database())::information_schema.sql_identifier AS table_catalog,
       (nt.nspname)::information_schema.sql_identifier AS table_schema,
       (t.relname)::information_schema.sql_identifier AS table_name,
       (a.attname)::information_schema.sql_identifier AS column_name
FROM pg_namespace np JOIN pg_proc p ON np.oid = p.pronamespace
     JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
     JOIN pg_class t ON d.refobjid = t.oid AND d.refclassid = 'pg_class'::regclass
     JOIN pg_namespace nt ON nt.oid = t.relnamespace
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE t.relkind IN ('r', 'v', 'f', 'p') AND pg_has_role(t.relowner, 'USAGE')
-- view information_schema.routine_privileges
SELECT (u_grantor.rolname)::information_schema.sql_identifier AS grantor,
       (grantee.rolname)::information_schema.sql_identifier AS grantee,
       (current_database())::information_schema.sql_identifier AS specific_catalog,
       (n.nspname)::information_schema.sql_identifier AS specific_schema,
       (nameconcatoid(p.proname, p.oid))::information_schema.sql_identifier AS specific_name,
       (current_database())::information_schema.sql_identifier AS routine_catalog,
       (n.nspname)::information_schema.sql_identifier AS routine_schema,
       (p.proname)::information_schema.sql_identifier AS routine_name,
       ('EXECUTE')::information_schema.character_data AS privilege_type,
       (CASE WHEN pg_has_role(grantee.oid, p.proowner, 'USAGE') OR acl.is_grantable THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_grantable
FROM pg_proc p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) acl
     JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_authid u_grantor ON u_grantor.oid = acl.grantor
     JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = acl.grantee
WHERE acl.privilege_type = 'EXECUTE'
      AND (pg_has_role(u_grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
-- view information_schema.role_routine_grants
SELECT grantor, grantee, specific_catalog, specific_schema, specific_name, routine_catalog, routine_schema,
       routine_name, privilege_type, is_grantable
FROM information_schema.routine_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
      OR grantee IN (SELECT role_name FROM information_schema.enabled_roles)
-- view information_schema.routine_routine_usage
SELECT DISTINCT (current_database())::information_schema.sql_identifier AS specific_catalog,
       (np.nspname)::information_schema.sql_identifier AS specific_schema,
       (nameconcatoid(p.proname, p.oid))::information_schema.sql_identifier AS specific_name,
       (current_database())::information_schema.sql_identifier AS routine_catalog,
       (np1.nspname)::information_schema.sql_identifier AS routine_schema,
       (nameconcatoid(p1.proname, p1.oid))::information_schema.sql_identifier AS routine_name
FROM pg_namespace np JOIN pg_proc p ON np.oid = p.pronamespace
     JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
     JOIN pg_proc p1 ON d.refobjid = p1.oid AND d.refclassid = 'pg_proc'::regclass
     JOIN pg_namespace np1 ON np1.oid = p1.pronamespace
WHERE p.prokind IN ('f', 'p') AND p1.prokind IN ('f', 'p') AND pg_has_role(p1.proowner, 'USAGE')
-- view information_schema.routine_sequence_usage
SELECT DISTINCT (current_database())::information_schema.sql_identifier AS specific_catalog,
       (np.nspname)::information_schema.sql_identifier AS specific_schema,
       (nameconcatoid(p.proname, p.oid))::information_schema.sql_identifier AS specific_name,
       (current_database())::information_schema.sql_identifier AS routine_catalog,
       (np.nspname)::information_schema.sql_identifier AS routine_schema,
       (p.proname)::information_schema.sql_identifier AS routine_name,
       (current_database())::information_schema.sql_identifier AS sequence_catalog,
       (ns.nspname)::information_schema.sql_identifier AS sequence_schema,
       (s.relname)::information_schema.sql_identifier AS sequence_name
FROM pg_namespace np JOIN pg_proc p ON np.oid = p.pronamespace
     JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
     JOIN pg_class s ON d.refobjid = s.oid AND d.refclassid = 'pg_class'::regclass
     JOIN pg_namespace ns ON ns.oid = s.relnamespace
WHERE s.relkind = 'S' AND pg_has_role(s.relowner, 'USAGE')
-- view information_schema.routine_table_usage
SELECT DISTINCT (current_database())::information_schema.sql_identifier AS specific_catalog,
       (np.nspname)::information_schema.sql_identifier AS specific_schema,
       (nameconcatoid(p.proname, p.oid))::information_schema.sql_identifier AS specific_name,
       (current_database())::information_schema.sql_identifier AS routine_catalog,
       (np.nspname)::information_schema.sql_identifier AS routine_schema,
       (p.proname)::information_schema.sql_identifier AS routine_name,
       (current_database())::information_schema.sql_identifier AS table_catalog,
       (nt.nspname)::information_schema.sql_identifier AS table_schema,
       (t.relname)::information_schema.sql_identifier AS table_name
FROM pg_namespace np JOIN pg_proc p ON np.oid = p.pronamespace
     JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
     JOIN pg_class t ON d.refobjid = t.oid AND d.refclassid = 'pg_class'::regclass
     JOIN pg_namespace nt ON nt.oid = t.relnamespace
WHERE t.relkind IN ('r', 'v', 'f', 'p') AND pg_has_role(t.relowner, 'USAGE')
-- view information_schema.routines
SELECT (current_database())::information_schema.sql_identifier AS specific_catalog,
       (n.nspname)::information_schema.sql_identifier AS specific_schema,
       (nameconcatoid(p.proname, p.oid))::information_schema.sql_identifier AS specific_name,
       (current_database())::information_schema.sql_identifier AS routine_catalog,
       (n.nspname)::information_schema.sql_identifier AS routine_schema,
       (p.proname)::information_schema.sql_identifier AS routine_name,
       (CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END)::information_schema.character_data AS routine_type,
       (NULL)::information_schema.sql_identifier AS module_catalog,
       (NULL)::information_schema.sql_identifier AS module_schema,
       (NULL)::information_schema.sql_identifier AS module_name,
       (NULL)::information_schema.sql_identifier AS udt_catalog,
       (NULL)::information_schema.sql_identifier AS udt_schema,
       (NULL)::information_schema.sql_identifier AS udt_name,
       (CASE WHEN p.prokind = 'p' THEN NULL WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
             WHEN nt.nspname = 'pg_catalog' THEN format_type(t.oid, NULL) ELSE 'USER-DEFINED' END)::information_schema.character_data AS data_type,
       (NULL)::information_schema.cardinal_number AS character_maximum_length,
       (NULL)::information_schema.cardinal_number AS character_octet_length,
       (NULL)::information_schema.sql_identifier AS character_set_catalog,
       (NULL)::information_schema.sql_identifier AS character_set_schema,
       (NULL)::information_schema.sql_identifier AS character_set_name,
       (NULL)::information_schema.sql_identifier AS collation_catalog,
       (NULL)::information_schema.sql_identifier AS collation_schema,
       (NULL)::information_schema.sql_identifier AS collation_name,
       (NULL)::information_schema.cardinal_number AS numeric_precision,
       (NULL)::information_schema.cardinal_number AS numeric_precision_radix,
       (NULL)::information_schema.cardinal_number AS numeric_scale,
       (NULL)::information_schema.cardinal_number AS datetime_precision,
       (NULL)::information_schema.character_data AS interval_type,
       (NULL)::information_schema.cardinal_number AS interval_precision,
       (CASE WHEN nt.nspname IS NOT NULL THEN current_database() END)::information_schema.sql_identifier AS type_udt_catalog,
       (nt.nspname)::information_schema.sql_identifier AS type_udt_schema,
       (t.typname)::information_schema.sql_identifier AS type_udt_name,
       (NULL)::information_schema.sql_identifier AS scope_catalog,
       (NULL)::information_schema.sql_identifier AS scope_schema,
       (NULL)::information_schema.sql_identifier AS scope_name,
       (NULL)::information_schema.cardinal_number AS maximum_cardinality,
       (CASE WHEN p.prokind <> 'p' THEN 0 END)::information_schema.sql_identifier AS dtd_identifier,
       (CASE WHEN l.lanname = 'sql' THEN 'SQL' ELSE 'EXTERNAL' END)::information_schema.character_data AS routine_body,
       (CASE WHEN pg_has_role(p.proowner, 'USAGE') THEN p.prosrc END)::information_schema.character_data AS routine_definition,
       (CASE WHEN l.lanname = 'c' THEN p.prosrc END)::information_schema.character_data AS external_name,
       (upper(l.lanname))::information_schema.character_data AS external_language,
       ('GENERAL')::information_schema.character_data AS parameter_style,
       (CASE WHEN p.provolatile = 'i' THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_deterministic,
       ('MODIFIES')::information_schema.character_data AS sql_data_access,
       (CASE WHEN p.prokind <> 'p' THEN CASE WHEN p.proisstrict THEN 'YES' ELSE 'NO' END END)::information_schema.yes_or_no AS is_null_call,
       (NULL)::information_schema.character_data AS sql_path,
       ('YES')::information_schema.yes_or_no AS schema_level_routine,
       (0)::information_schema.cardinal_number AS max_dynamic_result_sets,
       (NULL)::information_schema.yes_or_no AS is_user_defined_cast,
       (NULL)::information_schema.yes_or_no AS is_implicitly_invocable,
       (CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END)::information_schema.character_data AS security_type,
       (NULL)::information_schema.sql_identifier AS to_sql_specific_catalog,
       (NULL)::information_schema.sql_identifier AS to_sql_specific_schema,
       (NULL)::information_schema.sql_identifier AS to_sql_specific_name,
       ('NO')::information_schema.yes_or_no AS as_locator,
       (NULL)::information_schema.time_stamp AS created,
       (NULL)::information_schema.time_stamp AS last_altered,
       (NULL)::information_schema.yes_or_no AS new_savepoint_level,
       ('NO')::information_schema.yes_or_no AS is_udt_dependent,
       (NULL)::information_schema.character_data AS result_cast_from_data_type,
       (NULL)::information_schema.yes_or_no AS result_cast_as_locator,
       (NULL)::information_schema.cardinal_number AS result_cast_char_max_length,
       (NULL)::information_schema.cardinal_number AS result_cast_char_octet_length,
       (NULL)::information_schema.sql_identifier AS result_cast_char_set_catalog,
       (NULL)::information_schema.sql_identifier AS result_cast_char_set_schema,
       (NULL)::information_schema.sql_identifier AS result_cast_char_set_name,
       (NULL)::information_schema.sql_identifier AS result_cast_collation_catalog,
       (NULL)::information_schema.sql_identifier AS result_cast_collation_schema,
       (NULL)::information_schema.sql_identifier AS result_cast_collation_name,
       (NULL)::information_schema.cardinal_number AS result_cast_numeric_precision,
       (NULL)::information_schema.cardinal_number AS result_cast_numeric_precision_radix,
       (NULL)::information_schema.cardinal_number AS result_cast_numeric_scale,
       (NULL)::information_schema.cardinal_number AS result_cast_datetime_precision,
       (NULL)::information_schema.character_data AS result_cast_interval_type,
       (NULL)::information_schema.cardinal_number AS result_cast_interval_precision,
       (NULL)::information_schema.sql_identifier AS result_cast_type_udt_catalog,
       (NULL)::information_schema.sql_identifier AS result_cast_type_udt_schema,
       (NULL)::information_schema.sql_identifier AS result_cast_type_udt_name,
       (NULL)::information_schema.sql_identifier AS result_cast_scope_catalog,
       (NULL)::information_schema.sql_identifier AS result_cast_scope_schema,
       (NULL)::information_schema.sql_identifier AS result_cast_scope_name,
       (NULL)::information_schema.cardinal_number AS result_cast_maximum_cardinality,
       (NULL)::information_schema.sql_identifier AS result_cast_dtd_identifier
FROM pg_namespace n JOIN pg_proc p ON n.oid = p.pronamespace JOIN pg_language l ON p.prolang = l.oid
     LEFT JOIN (pg_type t JOIN pg_namespace nt ON t.typnamespace = nt.oid) ON p.prorettype = t.oid AND p.prokind <> 'p'
WHERE (pg_has_role(p.proowner, 'USAGE') OR has_function_privilege(p.oid, 'EXECUTE'))
-- view information_schema.schemata
SELECT (current_database())::information_schema.sql_identifier AS catalog_name,
       (n.nspname)::information_schema.sql_identifier AS schema_name,
       (u.rolname)::information_schema.sql_identifier AS schema_owner,
       (NULL)::information_schema.sql_identifier AS default_character_set_catalog,
       (NULL)::information_schema.sql_identifier AS default_character_set_schema,
       (NULL)::information_schema.sql_identifier AS default_character_set_name,
       (NULL)::information_schema.character_data AS sql_path
FROM pg_namespace n JOIN pg_authid u ON u.oid = n.nspowner
WHERE pg_has_role(n.nspowner, 'USAGE') OR has_schema_privilege(n.oid, 'CREATE, USAGE')
-- view information_schema.sequences
SELECT (current_database())::information_schema.sql_identifier AS sequence_catalog,
       (nc.nspname)::information_schema.sql_identifier AS sequence_schema,
       (c.relname)::information_schema.sql_identifier AS sequence_name,
       (format_type(s.seqtypid, NULL))::information_schema.character_data AS data_type,
       (information_schema._pg_numeric_precision(s.seqtypid, -1))::information_schema.cardinal_number AS numeric_precision,
       (2)::information_schema.cardinal_number AS numeric_precision_radix,
       (0)::information_schema.cardinal_number AS numeric_scale,
       (s.seqstart)::information_schema.character_data AS start_value,
       (s.seqmin)::information_schema.character_data AS minimum_value,
       (s.seqmax)::information_schema.character_data AS maximum_value,
       (s.seqincrement)::information_schema.character_data AS increment,
       (CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS cycle_option
FROM pg_namespace nc JOIN pg_class c ON c.relnamespace = nc.oid JOIN pg_sequence s ON c.oid = s.seqrelid
WHERE c.relkind = 'S' AND NOT pg_is_other_temp_schema(nc.oid)
      AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'i')
      AND (pg_has_role(c.relowner, 'USAGE') OR has_sequence_privilege(c.oid, 'SELECT, UPDATE, USAGE'))
-- view information_schema.table_constraints
SELECT (current_database())::information_schema.sql_identifier AS constraint_catalog,
       (nc.nspname)::information_schema.sql_identifier AS constraint_schema,
       (c.conname)::information_schema.sql_identifier AS constraint_name,
       (current_database())::information_schema.sql_identifier AS table_catalog,
       (nr.nspname)::information_schema.sql_identifier AS table_schema,
       (r.relname)::information_schema.sql_identifier AS table_name,
       (CASE c.contype WHEN 'c' THEN 'CHECK' WHEN 'n' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END)::information_schema.character_data AS constraint_type,
       (CASE WHEN c.condeferrable THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_deferrable,
       (CASE WHEN c.condeferred THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS initially_deferred,
       (CASE WHEN c.conenforced THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS enforced,
       (CASE WHEN c.contype = 'u' THEN
             CASE WHEN (SELECT NOT i.indnullsnotdistinct FROM pg_index i WHERE i.indexrelid = c.conindid) THEN 'YES' ELSE 'NO' END END)::information_schema.yes_or_no AS nulls_distinct
FROM pg_namespace nc JOIN pg_constraint c ON nc.oid = c.connamespace JOIN pg_class r ON c.conrelid = r.oid
     JOIN pg_namespace nr ON nr.oid = r.relnamespace
WHERE c.contype NOT IN ('t', 'x') AND r.relkind IN ('r', 'p') AND NOT pg_is_other_temp_schema(nr.oid)
      AND (pg_has_role(r.relowner, 'USAGE') OR has_table_privilege(r.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(r.oid, 'INSERT, UPDATE, REFERENCES'))
-- view information_schema.table_privileges
SELECT (u_grantor.rolname)::information_schema.sql_identifier AS grantor,
       (grantee.rolname)::information_schema.sql_identifier AS grantee,
       (current_database())::information_schema.sql_identifier AS table_catalog,
       (nc.nspname)::information_schema.sql_identifier AS table_schema,
       (c.relname)::information_schema.sql_identifier AS table_name,
       (acl.privilege_type)::information_schema.character_data AS privilege_type,
       (CASE WHEN pg_has_role(grantee.oid, c.relowner, 'USAGE') OR acl.is_grantable THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_grantable,
       (CASE WHEN acl.privilege_type = 'SELECT' THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS with_hierarchy
FROM pg_class c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) acl
     JOIN pg_namespace nc ON nc.oid = c.relnamespace JOIN pg_authid u_grantor ON u_grantor.oid = acl.grantor
     JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = acl.grantee
WHERE c.relkind IN ('r', 'v', 'f', 'p') AND acl.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')
      AND (pg_has_role(u_grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
-- view information_schema.role_table_grants
SELECT grantor, grantee, table_catalog, table_schema, table_name, privilege_type, is_grantable, with_hierarchy
FROM information_schema.table_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
      OR grantee IN (SELECT role_name FROM information_schema.enabled_roles)
-- view information_schema.tables
SELECT (current_database())::information_schema.sql_identifier AS table_catalog,
       (nc.nspname)::information_schema.sql_identifier AS table_schema,
       (c.relname)::information_schema.sql_identifier AS table_name,
       (CASE WHEN nc.oid = pg_my_temp_schema() THEN 'LOCAL TEMPORARY' WHEN c.relkind IN ('r', 'p') THEN 'BASE TABLE'
             WHEN c.relkind = 'v' THEN 'VIEW' WHEN c.relkind = 'f' THEN 'FOREIGN' END)::information_schema.character_data AS table_type,
       (NULL)::information_schema.sql_identifier AS self_referencing_column_name,
       (NULL)::information_schema.character_data AS reference_generation,
       (CASE WHEN t.typname IS NOT NULL THEN current_database() END)::information_schema.sql_identifier AS user_defined_type_catalog,
       (nt.nspname)::information_schema.sql_identifier AS user_defined_type_schema,
       (t.typname)::information_schema.sql_identifier AS user_defined_type_name,
       (CASE WHEN c.relkind IN ('r', 'p') OR (c.relkind IN ('v', 'f') AND pg_relation_is_updatable(c.oid, false) & 8 = 8) THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_insertable_into,
       (CASE WHEN t.typname IS NOT NULL THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_typed,
       (NULL)::information_schema.character_data AS commit_action
FROM pg_namespace nc JOIN pg_class c ON nc.oid = c.relnamespace
     LEFT JOIN (pg_type t JOIN pg_namespace nt ON t.typnamespace = nt.oid) ON c.reloftype = t.oid
WHERE c.relkind IN ('r', 'v', 'f', 'p') AND NOT pg_is_other_temp_schema(nc.oid)
      AND (pg_has_role(c.relowner, 'USAGE') OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
-- view information_schema.transforms
SELECT (current_database())::information_schema.sql_identifier AS udt_catalog,
       (nt.nspname)::information_schema.sql_identifier AS udt_schema,
       (t.typname)::information_schema.sql_identifier AS udt_name,
       (current_database())::information_schema.sql_identifier AS specific_catalog,
       (np.nspname)::information_schema.sql_identifier AS specific_schema,
       (nameconcatoid(p.proname, p.oid))::information_schema.sql_identifier AS specific_name,
       (l.lanname)::information_schema.sql_identifier AS group_name,
       ('FROM SQL')::information_schema.character_data AS transform_type
FROM pg_type t JOIN pg_transform x ON t.oid = x.trftype JOIN pg_language l ON x.trflang = l.oid
     JOIN pg_proc p ON x.trffromsql = p.oid JOIN pg_namespace nt ON t.typnamespace = nt.oid
     JOIN pg_namespace np ON p.pronamespace = np.oid
UNION
SELECT (current_database())::information_schema.sql_identifier AS udt_catalog,
       (nt.nspname)::information_schema.sql_identifier AS udt_schema,
       (t.typname)::information_schema.sql_identifier AS udt_name,
       (current_database())::information_schema.sql_identifier AS specific_catalog,
       (np.nspname)::information_schema.sql_identifier AS specific_schema,
       (nameconcatoid(p.proname, p.oid))::information_schema.sql_identifier AS specific_name,
       (l.lanname)::information_schema.sql_identifier AS group_name,
       ('TO SQL')::information_schema.character_data AS transform_type
FROM pg_type t JOIN pg_transform x ON t.oid = x.trftype JOIN pg_language l ON x.trflang = l.oid
     JOIN pg_proc p ON x.trftosql = p.oid JOIN pg_namespace nt ON t.typnamespace = nt.oid
     JOIN pg_namespace np ON p.pronamespace = np.oid
ORDER BY udt_catalog, udt_schema, udt_name, group_name, transform_type
-- view information_schema.triggered_update_columns
SELECT (current_database())::information_schema.sql_identifier AS trigger_catalog,
       (n.nspname)::information_schema.sql_identifier AS trigger_schema,
       (t.tgname)::information_schema.sql_identifier AS trigger_name,
       (current_database())::information_schema.sql_identifier AS event_object_catalog,
       (n.nspname)::information_schema.sql_identifier AS event_object_schema,
       (c.relname)::information_schema.sql_identifier AS event_object_table,
       (a.attname)::information_schema.sql_identifier AS event_object_column
FROM pg_namespace n JOIN pg_class c ON n.oid = c.relnamespace JOIN pg_trigger t ON c.oid = t.tgrelid
     CROSS JOIN LATERAL information_schema._pg_expandarray(t.tgattr) ta JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = ta.x
WHERE NOT t.tgisinternal AND NOT pg_is_other_temp_schema(n.oid)
      AND (pg_has_role(c.relowner, 'USAGE') OR has_column_privilege(c.oid, a.attnum, 'INSERT, UPDATE, REFERENCES'))
-- view information_schema.triggers
SELECT (current_database())::information_schema.sql_identifier AS trigger_catalog,
       (n.nspname)::information_schema.sql_identifier AS trigger_schema,
       (t.tgname)::information_schema.sql_identifier AS trigger_name,
       (em.text)::information_schema.character_data AS event_manipulation,
       (current_database())::information_schema.sql_identifier AS event_object_catalog,
       (n.nspname)::information_schema.sql_identifier AS event_object_schema,
       (c.relname)::information_schema.sql_identifier AS event_object_table,
       (rank() OVER (PARTITION BY n.nspname::information_schema.sql_identifier, c.relname::information_schema.sql_identifier, em.num,
                             t.tgtype & 1, t.tgtype & 66 ORDER BY t.tgname))::information_schema.cardinal_number AS action_order,
       (CASE WHEN pg_has_role(c.relowner, 'USAGE')
             THEN (regexp_match(pg_get_triggerdef(t.oid), '.{35,} WHEN \((.+)\) EXECUTE FUNCTION'))[1] END)::information_schema.character_data AS action_condition,
       (substring(pg_get_triggerdef(t.oid) FROM position('EXECUTE FUNCTION' IN substring(pg_get_triggerdef(t.oid) FROM 48)) + 47))::information_schema.character_data AS action_statement,
       (CASE t.tgtype & 1 WHEN 1 THEN 'ROW' ELSE 'STATEMENT' END)::information_schema.character_data AS action_orientation,
       (CASE t.tgtype & 66 WHEN 2 THEN 'BEFORE' WHEN 64 THEN 'INSTEAD OF' ELSE 'AFTER' END)::information_schema.character_data AS action_timing,
       (t.tgoldtable)::information_schema.sql_identifier AS action_reference_old_table,
       (t.tgnewtable)::information_schema.sql_identifier AS action_reference_new_table,
       (NULL)::information_schema.sql_identifier AS action_reference_old_row,
       (NULL)::information_schema.sql_identifier AS action_reference_new_row,
       (NULL)::information_schema.time_stamp AS created
FROM pg_namespace n JOIN pg_class c ON n.oid = c.relnamespace JOIN pg_trigger t ON c.oid = t.tgrelid
     JOIN (VALUES (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE')) em(num, text) ON t.tgtype & em.num <> 0
WHERE NOT t.tgisinternal AND NOT pg_is_other_temp_schema(n.oid)
      AND (pg_has_role(c.relowner, 'USAGE') OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'))
-- view information_schema.udt_privileges
SELECT (u_grantor.rolname)::information_schema.sql_identifier AS grantor,
       (grantee.rolname)::information_schema.sql_identifier AS grantee,
       (current_database())::information_schema.sql_identifier AS udt_catalog,
       (n.nspname)::information_schema.sql_identifier AS udt_schema,
       (t.typname)::information_schema.sql_identifier AS udt_name,
       ('TYPE USAGE')::information_schema.character_data AS privilege_type,
       (CASE WHEN pg_has_role(grantee.oid, t.typowner, 'USAGE') OR acl.is_grantable THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_grantable
FROM pg_type t CROSS JOIN LATERAL aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) acl
     JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_authid u_grantor ON u_grantor.oid = acl.grantor
     JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = acl.grantee
WHERE t.typtype = 'c' AND acl.privilege_type = 'USAGE' AND (pg_has_role(u_grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
-- view information_schema.role_udt_grants
SELECT grantor, grantee, udt_catalog, udt_schema, udt_name, privilege_type, is_grantable
FROM information_schema.udt_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
      OR grantee IN (SELECT role_name FROM information_schema.enabled_roles)
-- view information_schema.usage_privileges
SELECT (u.rolname)::information_schema.sql_identifier AS grantor,
       ('PUBLIC')::information_schema.sql_identifier AS grantee,
       (current_database())::information_schema.sql_identifier AS object_catalog,
       (n.nspname)::information_schema.sql_identifier AS object_schema,
       (c.collname)::information_schema.sql_identifier AS object_name,
       ('COLLATION')::information_schema.character_data AS object_type,
       ('USAGE')::information_schema.character_data AS privilege_type,
       ('NO')::information_schema.yes_or_no AS is_grantable
FROM pg_authid u JOIN pg_collation c ON c.collowner = u.oid JOIN pg_namespace n ON c.collnamespace = n.oid
WHERE c.collencoding IN (-1, (SELECT d.encoding FROM pg_database d WHERE d.datname = current_database()))
UNION ALL
SELECT (u_grantor.rolname)::information_schema.sql_identifier AS grantor,
       (grantee.rolname)::information_schema.sql_identifier AS grantee,
       (current_database())::information_schema.sql_identifier AS object_catalog,
       (n.nspname)::information_schema.sql_identifier AS object_schema,
       (t.typname)::information_schema.sql_identifier AS object_name,
       ('DOMAIN')::information_schema.character_data AS object_type,
       ('USAGE')::information_schema.character_data AS privilege_type,
       (CASE WHEN pg_has_role(grantee.oid, t.typowner, 'USAGE') OR acl.is_grantable THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_grantable
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace CROSS JOIN LATERAL aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) acl
     JOIN pg_authid u_grantor ON u_grantor.oid = acl.grantor
     JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = acl.grantee
WHERE t.typtype = 'd' AND acl.privilege_type = 'USAGE' AND (pg_has_role(u_grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
UNION ALL
SELECT (u_grantor.rolname)::information_schema.sql_identifier AS grantor,
       (grantee.rolname)::information_schema.sql_identifier AS grantee,
       (current_database())::information_schema.sql_identifier AS object_catalog,
       ('')::information_schema.sql_identifier AS object_schema,
       (f.fdwname)::information_schema.sql_identifier AS object_name,
       ('FOREIGN DATA WRAPPER')::information_schema.character_data AS object_type,
       ('USAGE')::information_schema.character_data AS privilege_type,
       (CASE WHEN pg_has_role(grantee.oid, f.fdwowner, 'USAGE') OR acl.is_grantable THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_grantable
FROM pg_foreign_data_wrapper f CROSS JOIN LATERAL aclexplode(coalesce(f.fdwacl, acldefault('F', f.fdwowner))) acl
     JOIN pg_authid u_grantor ON u_grantor.oid = acl.grantor
     JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = acl.grantee
WHERE acl.privilege_type = 'USAGE' AND (pg_has_role(u_grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
UNION ALL
SELECT (u_grantor.rolname)::information_schema.sql_identifier AS grantor,
       (grantee.rolname)::information_schema.sql_identifier AS grantee,
       (current_database())::information_schema.sql_identifier AS object_catalog,
       ('')::information_schema.sql_identifier AS object_schema,
       (s.srvname)::information_schema.sql_identifier AS object_name,
       ('FOREIGN SERVER')::information_schema.character_data AS object_type,
       ('USAGE')::information_schema.character_data AS privilege_type,
       (CASE WHEN pg_has_role(grantee.oid, s.srvowner, 'USAGE') OR acl.is_grantable THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_grantable
FROM pg_foreign_server s CROSS JOIN LATERAL aclexplode(coalesce(s.srvacl, acldefault('S', s.srvowner))) acl
     JOIN pg_authid u_grantor ON u_grantor.oid = acl.grantor
     JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = acl.grantee
WHERE acl.privilege_type = 'USAGE' AND (pg_has_role(u_grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
UNION ALL
SELECT (u_grantor.rolname)::information_schema.sql_identifier AS grantor,
       (grantee.rolname)::information_schema.sql_identifier AS grantee,
       (current_database())::information_schema.sql_identifier AS object_catalog,
       (n.nspname)::information_schema.sql_identifier AS object_schema,
       (c.relname)::information_schema.sql_identifier AS object_name,
       ('SEQUENCE')::information_schema.character_data AS object_type,
       ('USAGE')::information_schema.character_data AS privilege_type,
       (CASE WHEN pg_has_role(grantee.oid, c.relowner, 'USAGE') OR acl.is_grantable THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_grantable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) acl
     JOIN pg_authid u_grantor ON u_grantor.oid = acl.grantor
     JOIN (SELECT oid, rolname FROM pg_authid UNION ALL SELECT 0::oid, 'PUBLIC') grantee ON grantee.oid = acl.grantee
WHERE c.relkind = 'S' AND acl.privilege_type = 'USAGE' AND (pg_has_role(u_grantor.oid, 'USAGE') OR pg_has_role(grantee.oid, 'USAGE') OR grantee.rolname = 'PUBLIC')
-- view information_schema.role_usage_grants
SELECT grantor, grantee, object_catalog, object_schema, object_name, object_type, privilege_type, is_grantable
FROM information_schema.usage_privileges
WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles)
      OR grantee IN (SELECT role_name FROM information_schema.enabled_roles)
-- view information_schema.user_defined_types
SELECT (current_database())::information_schema.sql_identifier AS user_defined_type_catalog,
       (n.nspname)::information_schema.sql_identifier AS user_defined_type_schema,
       (c.relname)::information_schema.sql_identifier AS user_defined_type_name,
       ('STRUCTURED')::information_schema.character_data AS user_defined_type_category,
       ('YES')::information_schema.yes_or_no AS is_instantiable,
       (NULL)::information_schema.yes_or_no AS is_final,
       (NULL)::information_schema.character_data AS ordering_form,
       (NULL)::information_schema.character_data AS ordering_category,
       (NULL)::information_schema.sql_identifier AS ordering_routine_catalog,
       (NULL)::information_schema.sql_identifier AS ordering_routine_schema,
       (NULL)::information_schema.sql_identifier AS ordering_routine_name,
       (NULL)::information_schema.character_data AS reference_type,
       (NULL)::information_schema.character_data AS data_type,
       (NULL)::information_schema.cardinal_number AS character_maximum_length,
       (NULL)::information_schema.cardinal_number AS character_octet_length,
       (NULL)::information_schema.sql_identifier AS character_set_catalog,
       (NULL)::information_schema.sql_identifier AS character_set_schema,
       (NULL)::information_schema.sql_identifier AS character_set_name,
       (NULL)::information_schema.sql_identifier AS collation_catalog,
       (NULL)::information_schema.sql_identifier AS collation_schema,
       (NULL)::information_schema.sql_identifier AS collation_name,
       (NULL)::information_schema.cardinal_number AS numeric_precision,
       (NULL)::information_schema.cardinal_number AS numeric_precision_radix,
       (NULL)::information_schema.cardinal_number AS numeric_scale,
       (NULL)::information_schema.cardinal_number AS datetime_precision,
       (NULL)::information_schema.character_data AS interval_type,
       (NULL)::information_schema.cardinal_number AS interval_precision,
       (NULL)::information_schema.sql_identifier AS source_dtd_identifier,
       (NULL)::information_schema.sql_identifier AS ref_dtd_identifier
FROM pg_namespace n JOIN pg_class c ON n.oid = c.relnamespace JOIN pg_type t ON c.reltype = t.oid
WHERE c.relkind = 'c' AND (pg_has_role(t.typowner, 'USAGE') OR has_type_privilege(t.oid, 'USAGE'))
-- view information_schema.view_column_usage
SELECT DISTINCT (current_database())::information_schema.sql_identifier AS view_catalog,
       (nv.nspname)::information_schema.sql_identifier AS view_schema,
       (v.relname)::information_schema.sql_identifier AS view_name,
       (current_database())::information_schema.sql_identifier AS table_catalog,
       (nt.nspname)::information_schema.sql_identifier AS table_schema,
       (t.relname)::information_schema.sql_identifier AS table_name,
       (a.attname)::information_schema.sql_identifier AS column_name
FROM pg_namespace nv JOIN pg_class v ON nv.oid = v.relnamespace
     JOIN pg_depend dv ON v.oid = dv.refobjid AND dv.refclassid = 'pg_class'::regclass AND dv.classid = 'pg_rewrite'::regclass
                          AND dv.deptype = 'i'
     JOIN pg_depend dt ON dv.objid = dt.objid AND dt.classid = 'pg_rewrite'::regclass AND dv.refobjid <> dt.refobjid
     JOIN pg_class t ON dt.refclassid = 'pg_class'::regclass AND dt.refobjid = t.oid
     JOIN pg_namespace nt ON t.relnamespace = nt.oid
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = dt.refobjsubid
WHERE v.relkind = 'v' AND t.relkind IN ('r', 'v', 'f', 'p') AND pg_has_role(t.relowner, 'USAGE')
-- view information_schema.view_routine_usage
SELECT DISTINCT (current_database())::information_schema.sql_identifier AS table_catalog,
       (nv.nspname)::information_schema.sql_identifier AS table_schema,
       (v.relname)::information_schema.sql_identifier AS table_name,
       (current_database())::information_schema.sql_identifier AS specific_catalog,
       (np.nspname)::information_schema.sql_identifier AS specific_schema,
       (nameconcatoid(p.proname, p.oid))::information_schema.sql_identifier AS specific_name
FROM pg_namespace nv JOIN pg_class v ON nv.oid = v.relnamespace
     JOIN pg_depend dv ON v.oid = dv.refobjid AND dv.refclassid = 'pg_class'::regclass AND dv.classid = 'pg_rewrite'::regclass
                          AND dv.deptype = 'i'
     JOIN pg_depend dt ON dv.objid = dt.objid AND dt.classid = 'pg_rewrite'::regclass AND dv.refobjid <> dt.refobjid
     JOIN pg_proc p ON dt.refclassid = 'pg_proc'::regclass AND dt.refobjid = p.oid
     JOIN pg_namespace np ON p.pronamespace = np.oid
WHERE v.relkind = 'v' AND pg_has_role(p.proowner, 'USAGE')
-- view information_schema.view_table_usage
SELECT DISTINCT (current_database())::information_schema.sql_identifier AS view_catalog,
       (nv.nspname)::information_schema.sql_identifier AS view_schema,
       (v.relname)::information_schema.sql_identifier AS view_name,
       (current_database())::information_schema.sql_identifier AS table_catalog,
       (nt.nspname)::information_schema.sql_identifier AS table_schema,
       (t.relname)::information_schema.sql_identifier AS table_name
FROM pg_namespace nv JOIN pg_class v ON nv.oid = v.relnamespace
     JOIN pg_depend dv ON v.oid = dv.refobjid AND dv.refclassid = 'pg_class'::regclass AND dv.classid = 'pg_rewrite'::regclass
                          AND dv.deptype = 'i'
     JOIN pg_depend dt ON dv.objid = dt.objid AND dt.classid = 'pg_rewrite'::regclass AND dv.refobjid <> dt.refobjid
     JOIN pg_class t ON dt.refclassid = 'pg_class'::regclass AND dt.refobjid = t.oid
     JOIN pg_namespace nt ON t.relnamespace = nt.oid
WHERE v.relkind = 'v' AND t.relkind IN ('r', 'v', 'f', 'p') AND pg_has_role(t.relowner, 'USAGE')
-- view information_schema.views
SELECT (current_database())::information_schema.sql_identifier AS table_catalog,
       (nc.nspname)::information_schema.sql_identifier AS table_schema,
       (c.relname)::information_schema.sql_identifier AS table_name,
       (CASE WHEN pg_has_role(c.relowner, 'USAGE') THEN pg_get_viewdef(c.oid) END)::information_schema.character_data AS view_definition,
       (CASE WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED'
             WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL' ELSE 'NONE' END)::information_schema.character_data AS check_option,
       (CASE WHEN pg_relation_is_updatable(c.oid, false) & 20 = 20 THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_updatable,
       (CASE WHEN pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_insertable_into,
       (CASE WHEN EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = c.oid AND tgtype & 81 = 81) THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_trigger_updatable,
       (CASE WHEN EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = c.oid AND tgtype & 73 = 73) THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_trigger_deletable,
       (CASE WHEN EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = c.oid AND tgtype & 69 = 69) THEN 'YES' ELSE 'NO' END)::information_schema.yes_or_no AS is_trigger_insertable_into
FROM pg_namespace nc JOIN pg_class c ON nc.oid = c.relnamespace
WHERE c.relkind = 'v' AND NOT pg_is_other_temp_schema(nc.oid)
      AND (pg_has_role(c.relowner, 'USAGE') OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
-- view information_schema.data_type_privileges
SELECT (current_database())::information_schema.sql_identifier AS object_catalog, x.objschema AS object_schema, x.objname AS object_name,
       (x.objtype)::information_schema.character_data AS object_type, x.objdtdid AS dtd_identifier
FROM (SELECT udt_schema, udt_name, 'USER-DEFINED TYPE'::text, dtd_identifier FROM information_schema.attributes
      UNION ALL SELECT table_schema, table_name, 'TABLE', dtd_identifier FROM information_schema.columns
      UNION ALL SELECT domain_schema, domain_name, 'DOMAIN', dtd_identifier FROM information_schema.domains
      UNION ALL SELECT specific_schema, specific_name, 'ROUTINE', dtd_identifier FROM information_schema.parameters
      UNION ALL SELECT specific_schema, specific_name, 'ROUTINE', dtd_identifier FROM information_schema.routines)
     x(objschema, objname, objtype, objdtdid)
-- view information_schema.element_types
SELECT (current_database())::information_schema.sql_identifier AS object_catalog,
       (n.nspname)::information_schema.sql_identifier AS object_schema,
       (x.objname)::information_schema.sql_identifier AS object_name,
       (x.objtype)::information_schema.character_data AS object_type,
       (x.objdtdid)::information_schema.sql_identifier AS collection_type_identifier,
       (CASE WHEN nbt.nspname = 'pg_catalog' THEN format_type(bt.oid, NULL) ELSE 'USER-DEFINED' END)::information_schema.character_data AS data_type,
       (NULL)::information_schema.cardinal_number AS character_maximum_length,
       (NULL)::information_schema.cardinal_number AS character_octet_length,
       (NULL)::information_schema.sql_identifier AS character_set_catalog,
       (NULL)::information_schema.sql_identifier AS character_set_schema,
       (NULL)::information_schema.sql_identifier AS character_set_name,
       (CASE WHEN nco.nspname IS NOT NULL THEN current_database() END)::information_schema.sql_identifier AS collation_catalog,
       (nco.nspname)::information_schema.sql_identifier AS collation_schema,
       (co.collname)::information_schema.sql_identifier AS collation_name,
       (NULL)::information_schema.cardinal_number AS numeric_precision,
       (NULL)::information_schema.cardinal_number AS numeric_precision_radix,
       (NULL)::information_schema.cardinal_number AS numeric_scale,
       (NULL)::information_schema.cardinal_number AS datetime_precision,
       (NULL)::information_schema.character_data AS interval_type,
       (NULL)::information_schema.cardinal_number AS interval_precision,
       (current_database())::information_schema.sql_identifier AS udt_catalog,
       (nbt.nspname)::information_schema.sql_identifier AS udt_schema,
       (bt.typname)::information_schema.sql_identifier AS udt_name,
       (NULL)::information_schema.sql_identifier AS scope_catalog,
       (NULL)::information_schema.sql_identifier AS scope_schema,
       (NULL)::information_schema.sql_identifier AS scope_name,
       (NULL)::information_schema.cardinal_number AS maximum_cardinality,
       ('a' || x.objdtdid::text)::information_schema.sql_identifier AS dtd_identifier
FROM pg_namespace n,
     (SELECT c.relnamespace, c.relname::information_schema.sql_identifier, CASE WHEN c.relkind = 'c' THEN 'USER-DEFINED TYPE' ELSE 'TABLE' END,
             a.attnum, a.atttypid, a.attcollation
      FROM pg_class c JOIN pg_attribute a ON c.oid = a.attrelid
      WHERE c.relkind IN ('r', 'v', 'f', 'c', 'p') AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL
      SELECT t.typnamespace, t.typname::information_schema.sql_identifier, 'DOMAIN', 1, t.typbasetype, t.typcollation FROM pg_type t WHERE t.typtype = 'd'
      UNION ALL
      SELECT ss.pronamespace, nameconcatoid(ss.proname, ss.oid)::information_schema.sql_identifier, 'ROUTINE', (ss.x).n, (ss.x).x, 0
      FROM (SELECT p.pronamespace, p.proname, p.oid, information_schema._pg_expandarray(coalesce(p.proallargtypes, p.proargtypes::oid[])) AS x FROM pg_proc p) ss
      UNION ALL
      SELECT p.pronamespace, nameconcatoid(p.proname, p.oid)::information_schema.sql_identifier, 'ROUTINE', 0, p.prorettype, 0 FROM pg_proc p)
     x(objschema, objname, objtype, objdtdid, objtypeid, objcollation)
     LEFT JOIN (pg_collation co JOIN pg_namespace nco ON nco.oid = co.collnamespace)
          ON co.oid = x.objcollation AND (nco.nspname, co.collname) <> ('pg_catalog', 'default'),
     pg_type at, pg_namespace nbt, pg_type bt
WHERE n.oid = x.objschema AND at.oid = x.objtypeid AND (at.typelem <> 0 AND at.typlen = -1) AND at.typelem = bt.oid AND nbt.oid = bt.typnamespace
      AND (n.nspname, x.objname, x.objtype, x.objdtdid::information_schema.sql_identifier)
          IN (SELECT object_schema, object_name, object_type, dtd_identifier FROM information_schema.data_type_privileges)
-- view information_schema._pg_foreign_table_columns
SELECT n.nspname, c.relname, a.attname, a.attfdwoptions
FROM pg_foreign_table t JOIN pg_class c ON c.oid = t.ftrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE pg_has_role(c.relowner, 'USAGE') OR has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES')
-- view information_schema.column_options
SELECT (current_database())::information_schema.sql_identifier AS table_catalog,
       (c.nspname)::information_schema.sql_identifier AS table_schema,
       (c.relname)::information_schema.sql_identifier AS table_name,
       (c.attname)::information_schema.sql_identifier AS column_name,
       (o.option_name)::information_schema.sql_identifier AS option_name,
       (o.option_value)::information_schema.character_data AS option_value
FROM information_schema._pg_foreign_table_columns c, pg_options_to_table(c.attfdwoptions) o
-- view information_schema._pg_foreign_data_wrappers
SELECT w.oid,
       w.fdwowner,
       w.fdwoptions,
       (current_database())::information_schema.sql_identifier AS foreign_data_wrapper_catalog,
       (w.fdwname)::information_schema.sql_identifier AS foreign_data_wrapper_name,
       (u.rolname)::information_schema.sql_identifier AS authorization_identifier,
       ('c')::information_schema.character_data AS foreign_data_wrapper_language
FROM pg_foreign_data_wrapper w JOIN pg_authid u ON u.oid = w.fdwowner
WHERE pg_has_role(w.fdwowner, 'USAGE') OR has_foreign_data_wrapper_privilege(w.oid, 'USAGE')
-- view information_schema.foreign_data_wrapper_options
SELECT w.foreign_data_wrapper_catalog,
       w.foreign_data_wrapper_name,
       (o.option_name)::information_schema.sql_identifier AS option_name,
       (o.option_value)::information_schema.character_data AS option_value
FROM information_schema._pg_foreign_data_wrappers w, pg_options_to_table(w.fdwoptions) o
-- view information_schema.foreign_data_wrappers
SELECT foreign_data_wrapper_catalog,
       foreign_data_wrapper_name,
       authorization_identifier,
       (NULL)::information_schema.character_data AS library_name,
       foreign_data_wrapper_language
FROM information_schema._pg_foreign_data_wrappers
-- view information_schema._pg_foreign_servers
SELECT s.oid,
       s.srvoptions,
       (current_database())::information_schema.sql_identifier AS foreign_server_catalog,
       (s.srvname)::information_schema.sql_identifier AS foreign_server_name,
       (current_database())::information_schema.sql_identifier AS foreign_data_wrapper_catalog,
       (w.fdwname)::information_schema.sql_identifier AS foreign_data_wrapper_name,
       (s.srvtype)::information_schema.character_data AS foreign_server_type,
       (s.srvversion)::information_schema.character_data AS foreign_server_version,
       (u.rolname)::information_schema.sql_identifier AS authorization_identifier
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw JOIN pg_authid u ON u.oid = s.srvowner
WHERE pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(s.oid, 'USAGE')
-- view information_schema.foreign_server_options
SELECT s.foreign_server_catalog,
       s.foreign_server_name,
       (o.option_name)::information_schema.sql_identifier AS option_name,
       (o.option_value)::information_schema.character_data AS option_value
FROM information_schema._pg_foreign_servers s, pg_options_to_table(s.srvoptions) o
-- view information_schema.foreign_servers
SELECT foreign_server_catalog,
       foreign_server_name,
       foreign_data_wrapper_catalog,
       foreign_data_wrapper_name,
       foreign_server_type,
       foreign_server_version,
       authorization_identifier
FROM information_schema._pg_foreign_servers
-- view information_schema._pg_foreign_tables
SELECT (current_database())::information_schema.sql_identifier AS foreign_table_catalog,
       (n.nspname)::information_schema.sql_identifier AS foreign_table_schema,
       (c.relname)::information_schema.sql_identifier AS foreign_table_name,
       t.ftoptions,
       (current_database())::information_schema.sql_identifier AS foreign_server_catalog,
       (s.srvname)::information_schema.sql_identifier AS foreign_server_name,
       (u.rolname)::information_schema.sql_identifier AS authorization_identifier
FROM pg_foreign_table t JOIN pg_foreign_server s ON s.oid = t.ftserver JOIN pg_class c ON c.oid = t.ftrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_authid u ON u.oid = c.relowner
WHERE c.relkind = 'f'
      AND (pg_has_role(c.relowner, 'USAGE') OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
           OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
-- view information_schema.foreign_table_options
SELECT t.foreign_table_catalog,
       t.foreign_table_schema,
       t.foreign_table_name,
       (o.option_name)::information_schema.sql_identifier AS option_name,
       (o.option_value)::information_schema.character_data AS option_value
FROM information_schema._pg_foreign_tables t, pg_options_to_table(t.ftoptions) o
-- view information_schema.foreign_tables
SELECT foreign_table_catalog,
       foreign_table_schema,
       foreign_table_name,
       foreign_server_catalog,
       foreign_server_name
FROM information_schema._pg_foreign_tables
-- view information_schema._pg_user_mappings
SELECT um.oid,
       um.umoptions,
       um.umuser,
       (coalesce(u.rolname, 'PUBLIC'))::information_schema.sql_identifier AS authorization_identifier,
       s.foreign_server_catalog,
       s.foreign_server_name,
       s.authorization_identifier AS srvowner
FROM pg_user_mapping um LEFT JOIN pg_authid u ON u.oid = um.umuser JOIN information_schema._pg_foreign_servers s ON s.oid = um.umserver
-- view information_schema.user_mapping_options
SELECT um.authorization_identifier,
       um.foreign_server_catalog,
       um.foreign_server_name,
       (o.option_name)::information_schema.sql_identifier AS option_name,
       (CASE WHEN (um.umuser <> 0 AND um.authorization_identifier = CURRENT_USER) OR (um.umuser = 0 AND pg_has_role(um.srvowner::name, 'USAGE'))
                  OR (SELECT r.rolsuper FROM pg_authid r WHERE r.rolname = CURRENT_USER) THEN o.option_value END)::information_schema.character_data AS option_value
FROM information_schema._pg_user_mappings um, pg_options_to_table(um.umoptions) o
-- view information_schema.user_mappings
SELECT authorization_identifier,
       foreign_server_catalog,
       foreign_server_name
FROM information_schema._pg_user_mappings

\l catalog
\dn
\dn shop
\dnS
\d
\d+
\dS pg_cl*
\d shop.*
\d+ shop.customer
\d+ shop.item
\d+ shop.purchase
\d+ shop.parent
\d+ shop.child
\d+ shop.scratch
\d+ shop."Odd Name"
\d+ shop.happy
\d+ shop.cheap
\d+ shop.totals
\d+ shop.ticket
\d shop.customer_id_seq
\d+ shop.address
\d+ shop.customer_lower
\d+ shop.purchase_by_amount
\d shop.customer_pkey
\d shop.customer
\d shop.item
\d shop.purchase
\d pg_class
\d+ pg_type
\d pg_stat_activity
\d pg_class_oid_index
\d nothing
\d *.*.*.*
\dt
\dt shop.*
\dt+ shop.*
\di+ shop.*
\di shop.*
\dv+ shop.*
\dv shop.*
\dm+ shop.*
\dm shop.*
\ds+ shop.*
\ds shop.*
\dtvmsi shop.*
\dtS pg_a*
\dE
\dE shop.*
\df shop.*
\df+ shop.*
\dfn shop.*
\dfp shop.*
\dfa shop.*
\dfw shop.*
\dft shop.*
\df shop.add int
\df pg_catalog.int4pl
\df *upper*
\du shop*
\drg shop*
\dT shop.*
\dT+ shop.*
\dT
\sf shop.add
\sf+ shop.add
\sf shop.names
\sf shop.many
\sf shop.body
\sf shop.reset
\sf pg_catalog.int4pl
\sf nothing
\sv shop.happy
\sv+ shop.happy
\sv shop.cheap
\sv shop.customer
\dp shop.*
\z shop.customer
\dpS pg_class
\ddp
\ddp shop
\dd
\dd shop.*
\dD shop.*
\dD+ shop.*
\do
\dc pg_catalog.utf8*
\dC int4
\dC+ int4
\dCS+ bool
\dx+
\dy
\dy+
\dA
\dAc btree int4
\dAc+ hash text
\dAf hash text
\dAf+ btree uuid
\dAo btree integer_ops
\dAo+ btree integer_ops
\dAp btree integer_ops
\dAp+ hash text_ops
\dconfig work_mem
\dconfig+ work_mem
\dconfig enable*
\dconfig+ *timeout
\dF+ english
\dO
\dO+
\dOS pg_catalog.*
\drds
\drds shop_writer
\dRp
\dRp+
\dRs
\dRs+
\dX
\dX+
\des
\des+
\det
\det+
\deu
\deu+
\dew
\dew+
\dP
\dP+
\dPn
\dPt
\dPi
\dl
\dl+
\lo_list
\dconfig nothing
\dT nothing
\df nothing
\dn nothing
\encoding
\du+ shop*
\dg shop*
\dg+ shop_admin
\db pg_*
\db+ pg_*
\dn+ shop
\d+ shop.plain
\dx
\dO pg_catalog.*

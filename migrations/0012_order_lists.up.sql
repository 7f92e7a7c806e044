-- The e-mail of the customer as a column: row-level security lets an index serve `=` on a column, not on lower(…).
alter table orders add column customer_email text collate "C" generated always as (lower(customer ->> 'email')) stored;

-- Each list reads its page off an index, in the order of the list.
create index orders_status on orders (organization_id, status, id);
create index orders_status_placed on orders (organization_id, status, placed_at, id);
create index orders_source on orders (organization_id, source, id) where source is not null;
create index orders_source_placed on orders (organization_id, source, placed_at, id) where source is not null;
create index orders_external_id on orders (organization_id, external_id) where external_id is not null;
create index orders_customer_email on orders (organization_id, customer_email, id) where customer_email is not null;

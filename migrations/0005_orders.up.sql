-- No foreign keys from an order to its organization or location: every insert would lock that one row for all of them.
create table orders (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  id text collate "C" not null,
  number text collate "C" not null,
  status text not null
    check (status in ('draft', 'pending', 'confirmed', 'processing', 'completed', 'cancelled', 'expired', 'rejected')),
  source text collate "C",
  external_id text collate "C",
  location_id text collate "C" not null,
  payment_terms text not null check (payment_terms in ('prepaid', 'onAccount')),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  items_amount bigint not null,
  discount_amount bigint not null,
  shipping_amount bigint not null,
  tax_amount bigint not null,
  total_amount bigint not null,
  customer jsonb,
  shipping_address jsonb,
  billing_address jsonb,
  notes text,
  metadata jsonb not null,
  cancel_reason text,
  expires_at timestamptz(3),
  placed_at timestamptz(3),
  confirmed_at timestamptz(3),
  closed_at timestamptz(3),
  version integer not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  primary key (organization_id, id),
  constraint orders_number_key unique (organization_id, number),
  constraint orders_external_together check ((source is null) = (external_id is null)),
  constraint orders_total check (total_amount = items_amount - discount_amount + shipping_amount + tax_amount)
);
create unique index orders_external_key on orders (organization_id, source, external_id) where source is not null;
create index orders_placed on orders (organization_id, placed_at, id);
create index orders_due on orders (expires_at) where status = 'pending';

create table order_lines (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  order_id text collate "C" not null,
  position integer not null,
  id text collate "C" not null,
  sku text collate "C" not null,
  title text not null,
  tracked boolean not null,
  quantity integer not null check (quantity > 0),
  quantity_cancelled integer not null default 0,
  quantity_fulfilled integer not null default 0,
  unit_price_amount bigint not null check (unit_price_amount >= 0),
  discount_amount bigint not null check (discount_amount >= 0),
  tax_amount bigint not null check (tax_amount >= 0),
  total_amount bigint not null,
  metadata jsonb not null,
  primary key (organization_id, order_id, position),
  foreign key (organization_id, order_id) references orders (organization_id, id),
  constraint order_lines_counts check (
    quantity_cancelled >= 0 and quantity_fulfilled >= 0 and quantity_cancelled + quantity_fulfilled <= quantity
  )
);

-- What an order holds of a stock level: held until it expires, firm once confirmed.
create table reservations (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  id text collate "C" not null,
  order_id text collate "C",
  sku text collate "C" not null,
  location_id text collate "C" not null,
  quantity integer not null check (quantity > 0),
  state text not null check (state in ('held', 'firm', 'consumed', 'released', 'expired')),
  expires_at timestamptz(3),
  version integer not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  primary key (organization_id, id),
  foreign key (organization_id, order_id) references orders (organization_id, id)
);
create index reservations_order on reservations (organization_id, order_id);

alter table orders enable row level security;
alter table orders force row level security;
create policy tenant on orders to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
create policy sweep on orders for select to purser_relay using (true);
grant select, insert, update on orders to purser_app;
grant select on orders to purser_relay;

alter table order_lines enable row level security;
alter table order_lines force row level security;
create policy tenant on order_lines to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
grant select, insert, update on order_lines to purser_app;

alter table reservations enable row level security;
alter table reservations force row level security;
create policy tenant on reservations to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
grant select, insert, update on reservations to purser_app;

create table products (
  organization_id text collate "C" not null default current_setting('app.organization_id') references organizations,
  id text collate "C" not null,
  sku text collate "C" not null check (length(sku) between 1 and 64 and sku !~ '[[:cntrl:]]'),
  title text not null check (length(title) between 1 and 500),
  description text,
  status text not null check (status in ('draft', 'active', 'archived')),
  stock_policy text not null check (stock_policy in ('deny', 'backorder', 'untracked')),
  prices jsonb not null, -- { "GBP": 255 }: minor units by currency
  attributes jsonb not null default '{}',
  images jsonb not null default '[]',
  metadata jsonb not null default '{}',
  version integer not null default 1,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  primary key (organization_id, id),
  constraint products_sku_key unique (organization_id, sku)
);

alter table products enable row level security;
alter table products force row level security;
create policy tenant on products to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
grant select, insert, update on products to purser_app;

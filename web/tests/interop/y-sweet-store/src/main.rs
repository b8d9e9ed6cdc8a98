//! Writes a file store as `y-sweet serve FOLDER` does, with y-sweet's own crate: `y-sweet-store
//! FOLDER UPDATES`, where `UPDATES` has a folder for each document and in it its Yjs updates (v1) as
//! files, applied in the order of their names. Must not know who reads the store.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use y_sweet_core::doc_sync::DocWithSyncKv;
use y_sweet_core::store::{Result as Stored, Store, StoreError};

/// Every key is a path below a folder, as in y-sweet's own file store.
struct Files(PathBuf);

impl Files {
    fn failed(error: std::io::Error) -> StoreError {
        StoreError::ConnectionError(error.to_string())
    }
}

#[async_trait]
impl Store for Files {
    async fn init(&self) -> Stored<()> {
        Ok(())
    }

    async fn get(&self, key: &str) -> Stored<Option<Vec<u8>>> {
        Ok(fs::read(self.0.join(key)).ok())
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> Stored<()> {
        let path = self.0.join(key);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Files::failed)?;
        }
        fs::write(path, value).map_err(Files::failed)
    }

    async fn remove(&self, key: &str) -> Stored<()> {
        fs::remove_file(self.0.join(key)).map_err(Files::failed)
    }

    async fn exists(&self, key: &str) -> Stored<bool> {
        Ok(self.0.join(key).exists())
    }
}

/// What is in a folder, by name.
fn sorted(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [store, updates] = &arguments[..] else {
        return Err("y-sweet-store FOLDER UPDATES".into());
    };
    for document in sorted(updates)? {
        let name = document.file_name().and_then(|name| name.to_str());
        let name = name.ok_or("a document's name is text")?;
        let files: Arc<Box<dyn Store>> = Arc::new(Box::new(Files(store.clone())));
        let synced = DocWithSyncKv::new(name, Some(files), || ()).await?;
        for update in sorted(&document)? {
            synced.apply_update(&fs::read(update)?)?;
        }
        synced.sync_kv().persist().await?;
    }
    Ok(())
}
